"""Arithmetic that is the same on every x86-64 processor, for runs whose bits are compared.

Libraries choose their instructions by the processor that they meet, and round accordingly: with and without fused
multiply-adds, over more or fewer lanes. `settings` are the environment variables that have them choose what every such
processor has; they must be set before Python starts. `settle` does what no variable can: no oneDNN and no NNPACK, and
roots and logarithms by NumPy, because MKL makes them from estimates that are AMD's own or Intel's own, whatever it is
asked for. `probe` says what comes out of all that a run computes by, as digests. Where they are others (another glibc,
another PyTorch), bits say nothing, and nothing is compared.
"""

import hashlib
import importlib
import math
import platform
import warnings
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

SAME_EVERYWHERE: Final = platform.machine() in {"x86_64", "AMD64"} and platform.system() == "Linux"
"""Whether this is a machine on which the settings mean anything."""

_KEPT: Final[list[torch.library.Library]] = []
"""An operator is replaced for as long as its library lives."""


def settings() -> dict[str, str]:
    """Return the variables of a process that is to compute as every x86-64 processor can."""
    dispatched = importlib.import_module("numpy._core._multiarray_umath").__cpu_dispatch__
    return {
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_CBWR": "COMPATIBLE",
        "OPENBLAS_CORETYPE": "Prescott",
        "NPY_DISABLE_CPU_FEATURES": " ".join(dispatched),
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-FMA4",
        **{f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS")},
    }


def settle() -> None:
    """Have this process compute so, as far as PyTorch itself must be told."""
    torch.set_num_threads(1)
    torch.backends.mkldnn.set_flags(False)  # type: ignore[no-untyped-call]
    torch.backends.nnpack.set_flags(False)  # type: ignore[no-untyped-call]
    library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    _KEPT.append(library)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that an operator is replaced
        for name, exact in (("sqrt", np.sqrt), ("log", np.log)):
            _replace(library, name, exact)


def _replace(library: torch.library.Library, name: str, exact: Callable[[Any], Any]) -> None:
    def new(x: Tensor) -> Tensor:
        return torch.from_numpy(np.asarray(exact(x.detach().numpy())))

    def inplace(x: Tensor) -> Tensor:
        return x.copy_(new(x))

    def into(x: Tensor, *, out: Tensor) -> Tensor:
        return out.resize_(x.shape).copy_(new(x))

    for overload, function in ((name, new), (f"{name}_", inplace), (f"{name}.out", into)):
        library.impl(overload, function, "CPU")  # type: ignore[no-untyped-call]


def probe() -> dict[str, str]:
    """Return digests of what functions, products, networks and their gradients come to, by name."""
    chance = torch.Generator().manual_seed(1)
    x = torch.randn(2000, generator=chance)
    found = {"randn": x}
    for kind, values in (("32", x), ("64", x.double())):
        for name in ("exp", "expm1", "tanh", "sigmoid", "sin", "cos", "erf"):
            found[f"{name}{kind}"] = getattr(torch, name)(values)
        for name in ("sqrt", "log", "log1p"):
            found[f"{name}{kind}"] = getattr(torch, name)(values.abs())
        found[f"softmax{kind}"] = torch.softmax(values.view(50, 40), 1)
        found[f"logsumexp{kind}"] = torch.logsumexp(values.view(50, 40), 1)
        found[f"matmul{kind}"] = values[:1000].view(50, 20) @ values[1000:].view(20, 50)
        found[f"sum{kind}"] = values.sum()
    digests = {name: _digest(value.numpy()) for name, value in found.items()}
    return {**digests, "networks": _networks(x), "numpy": _numpy(), "python": _python()}


def _networks(x: Tensor) -> str:
    torch.manual_seed(2)
    seeing, remembering = nn.Sequential(nn.Conv2d(3, 4, 4, 2), nn.ConvTranspose2d(4, 3, 5, 2)), nn.LSTM(10, 16)
    parameters = [*seeing.parameters(), *remembering.parameters()]
    adam = torch.optim.Adam(parameters)
    for _ in range(2):
        adam.zero_grad()
        states, _ = remembering(x.view(20, 10, 10))
        (seeing(torch.rand(8, 3, 20, 20)).square().mean() + states.square().mean()).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        adam.step()
    return _digest(torch.cat([parameter.detach().flatten() for parameter in parameters]).numpy())


def _numpy() -> str:
    x = np.random.default_rng(0).normal(size=900)
    square = x.reshape(30, 30) @ x.reshape(30, 30).T
    values, vectors = np.linalg.eigh(square)
    functions = [np.exp(x), np.tanh(x), np.sin(x), np.cos(x), np.log(np.abs(x)), np.abs(x) ** 1.7]
    return _digest(np.concatenate([square.ravel(), values, vectors.ravel(), square @ x[:30], *functions]))


def _python() -> str:
    x = np.random.default_rng(0).normal(size=300).tolist()
    functions = (
        math.exp,
        math.sin,
        math.cos,
        math.tanh,
        math.atan,
        lambda v: math.log(abs(v)),
        lambda v: abs(v) ** 1.7,
    )
    return _digest(np.array([function(value) for function in functions for value in x]))


def _digest(values: Any) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]
