"""A kernel that says no: the n-th call that writes below a folder fails in a child, whatever library makes it.

Python, HDF5, safetensors and NumPy all write through system calls, so this is where every write site of a run is, and
where it can be made to fail just as a full disk makes it. A seccomp filter in the child asks us before each call that
opens for writing, writes, renames, makes a folder or a link, or syncs (`seccomp_unotify(2)`); we let it through or
answer with an error number. The child's children inherit it. Called by `machine.py`, which forks the child.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import platform
import re
import select
import socket
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_NUMBERS: Final = {
    "x86_64": "write 1 open 2 pwrite64 18 writev 20 fsync 74 fdatasync 75 ftruncate 77 rename 82 mkdir 83 link 86 "
    "symlink 88 openat 257 mkdirat 258 renameat 264 symlinkat 266 fallocate 285 renameat2 316 seccomp 317",
    "aarch64": "mkdirat 34 symlinkat 36 renameat 38 ftruncate 46 fallocate 47 openat 56 write 64 writev 66 pwrite64 68 "
    "fsync 82 fdatasync 83 renameat2 276 seccomp 277",
}
"""System calls and their numbers by machine (linux/arch/*/syscall tables)."""


def _table(text: str) -> dict[str, int]:
    words = text.split()
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))


_CALLS: Final = _table(_NUMBERS.get(platform.machine(), "") if platform.system() == "Linux" else "")
_NAMES: Final = {number: name for name, number in _CALLS.items() if name != "seccomp"}

_BY_DESCRIPTOR: Final = {"write", "pwrite64", "writev", "fsync", "fdatasync", "ftruncate", "fallocate"}
_PATH_AT: Final = {
    **dict.fromkeys(("open", "mkdir"), (None, 0)),
    **dict.fromkeys(("rename", "link", "symlink"), (None, 1)),
    **dict.fromkeys(("openat", "mkdirat"), (0, 1)),
    **dict.fromkeys(("renameat", "renameat2"), (2, 3)),
    "symlinkat": (1, 2),
}
"""Which arguments are the folder's descriptor (None: there is none) and the path of the file that comes to be."""

SPACE: Final = ("ENOSPC", "EIO", "EDQUOT")
NAMES: Final = ("ENOSPC", "EROFS", "EACCES")
OPENING: Final = (*NAMES, "EMFILE")

_SET_FILTER, _NEW_LISTENER, _NO_NEW_PRIVILEGES = 1, 8, 38
_RECEIVE, _SEND, _CONTINUE = 0xC0502100, 0xC0182101, 1
_ALLOW, _ASK = 0x7FFF0000, 0x7FC00000
_LOAD, _EQUAL, _GREATER, _ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_HERE: Final = -100

_RANDOM: Final = (
    (re.compile(r"\.[0-9a-f]{8,16}\.(tmp|link)$"), r".RANDOM.\1"),
    (re.compile(r"^runs/[^/]+"), "runs/RUN"),
)


@dataclass(frozen=True)
class Site:
    """A call that writes: its name, the file below the root without what is random, and which such call it is."""

    call: str
    file: str
    turn: int

    def errors(self) -> tuple[str, ...]:
        """The faults that such a call can meet."""
        if self.call in _BY_DESCRIPTOR:
            return SPACE
        return OPENING if self.call.startswith("open") else NAMES


@dataclass
class Watch:
    """What is watched for below `root`, and what was seen. From the call at `fault` on, or only there, calls fail.

    `lasting`: a full disk stays full, and every later call that could fail with the same number does.
    """

    root: Path
    fault: Site | None = None
    error: str = ""
    lasting: bool = False
    sites: list[Site] = field(default_factory=list)
    hit: bool = False
    _turns: Counter[tuple[str, str]] = field(default_factory=Counter)

    def answer(self, call: str, path: str) -> int:
        """Return the error number that a call is to fail with, or 0."""
        if not path.startswith(f"{self.root}/"):
            return 0
        file = path[len(str(self.root)) + 1 :]
        for pattern, name in _RANDOM:
            file = pattern.sub(name, file)
        self._turns[call, file] += 1
        site = Site(call, file, self._turns[call, file])
        self.sites.append(site)
        again = self.hit and self.lasting and self.error in site.errors()
        if site == self.fault or again:
            self.hit = True
            return int(getattr(errno, self.error))
        return 0


def why_not() -> str:
    """Say why calls cannot be watched on this machine; empty where they can."""
    if not _CALLS:
        return f"no table of system calls for {platform.system()} on {platform.machine()}"
    action = ctypes.c_uint32(_ASK)
    if ctypes.CDLL(None, use_errno=True).syscall(_CALLS["seccomp"], 2, 0, ctypes.byref(action)) != 0:
        return f"this kernel or container does not offer seccomp_unotify ({os.strerror(ctypes.get_errno())})"
    return ""


def give_in(ours: socket.socket) -> None:
    """In the child: have every write below asked about from now on, by whoever has the other end of `ours`."""
    library = ctypes.CDLL(None, use_errno=True)
    code = _program()
    buffer = ctypes.create_string_buffer(code)
    header = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    if library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    listener = library.syscall(_CALLS["seccomp"], _SET_FILTER, _NEW_LISTENER, ctypes.c_char_p(header))
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    socket.send_fds(ours, [b"x"], [listener])
    os.close(listener)


def watch(theirs: socket.socket, seen: Watch) -> None:
    """In the parent: answer all calls until nobody is left who could make any."""
    _, [listener], _, _ = socket.recv_fds(theirs, 1, 1)
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    try:
        while not any(event & select.POLLHUP for _, event in poll.poll()):
            with contextlib.suppress(FileNotFoundError):  # killed while it waited for the answer
                _answer_one(listener, seen.answer)
    finally:
        os.close(listener)


def _answer_one(listener: int, decide: Callable[[str, str], int]) -> None:
    message = bytearray(80)
    fcntl.ioctl(listener, _RECEIVE, message)
    identity, pid, _, number, _, _, *arguments = struct.unpack("QIIiIQ6Q", message)
    call = _NAMES[number]
    try:
        error = decide(call, _path(pid, call, arguments))
    except OSError:  # gone, or a descriptor that it has closed meanwhile
        error = 0
    fcntl.ioctl(listener, _SEND, struct.pack("QqiI", identity, 0, -error, 0 if error else _CONTINUE))


def _path(pid: int, call: str, arguments: Sequence[int]) -> str:
    if call in _BY_DESCRIPTOR:
        return os.readlink(f"/proc/{pid}/fd/{arguments[0]}")
    folder, place = _PATH_AT[call]
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(arguments[place])
        path = os.fsdecode(memory.read(4096).partition(b"\0")[0])
    if path.startswith("/"):
        return os.path.normpath(path)
    descriptor = _HERE if folder is None else ctypes.c_int(arguments[folder] & 0xFFFFFFFF).value
    base = f"/proc/{pid}/cwd" if descriptor == _HERE else f"/proc/{pid}/fd/{descriptor}"
    return os.path.normpath(os.path.join(os.readlink(base), path))


def _program() -> bytes:
    """Ask about calls that write, but for opening to read, and for standard output and error."""
    code = [(_LOAD, 0, 0, 0)]
    for name, number in _CALLS.items():
        if name == "seccomp":
            continue
        if name in ("open", "openat"):
            flags = 16 + 8 * (1 if name == "open" else 2)
            code += [(_EQUAL, 0, 4, number), (_LOAD, 0, 0, flags), (_ANY_BIT, 0, 1, _WRITES)]
            code += [(_RETURN, 0, 0, _ASK), (_RETURN, 0, 0, _ALLOW)]
        elif name in _BY_DESCRIPTOR:
            code += [(_EQUAL, 0, 4, number), (_LOAD, 0, 0, 16), (_GREATER, 0, 1, 2)]
            code += [(_RETURN, 0, 0, _ASK), (_RETURN, 0, 0, _ALLOW)]
        else:
            code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ASK)]
    code.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *step) for step in code)
