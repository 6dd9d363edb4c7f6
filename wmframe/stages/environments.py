"""Open the environment that a stage is given, in this machine's worker processes. Called by the stages that play."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from wmframe.engine.machine import Machine
from wmframe.envs.batch import EnvBatch
from wmframe.envs.process_batch import make_batch, make_batches
from wmframe.envs.spec import EnvSpec


def environments(env: EnvSpec, machine: Machine, *, reference: bool = False) -> EnvBatch:
    """Open an environment, as it is or as its reference; use as a context manager."""
    return make_batch(env.reference() if reference else env, machine.environment_workers)


@contextmanager
def environments_apart(env: EnvSpec, machine: Machine) -> Iterator[Sequence[EnvBatch]]:
    """Open an environment in batches that threads may step, each its own."""
    with ExitStack() as stack:
        yield [stack.enter_context(batch) for batch in make_batches(env, machine.environment_workers)]
