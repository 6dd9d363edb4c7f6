"""Launching jobs must not change what their process says."""

import logging

from hydra.core.utils import configure_log

from wmframe.engine.config.multirun import hydra_config


def test_loggers_that_are_there_are_heard_after_a_launch() -> None:
    warned = logging.getLogger("wmframe.envs.process_batch")
    config = hydra_config([])
    for kind in (config.hydra.hydra_logging, config.hydra.job_logging):
        configure_log(kind, config.hydra.verbose)
    assert not warned.disabled
