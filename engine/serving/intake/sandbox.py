"""What a child may do once it is warm: read and write the pipes it has, use memory, and compute. Nothing else.

Each layer is put up where the system has it, and the child says which of them hold: resource limits (POSIX), a network
of its own without any interface (`unshare`), Landlock, and a list of allowed system calls (seccomp). Through ctypes:
the bindings on the package index need libseccomp installed, or are no longer kept.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from typing import NamedTuple

MEMORY, FILES, NETWORK, CALLS = "memory", "files", "network", "system calls"
"""Names of the layers, as `/about` shows them."""

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_MODE_FILTER = 2
_SIGKILL = 9
_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC, _CLONE_THREAD = 0x10000000, 0x40000000, 0x08000000, 0x00010000
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446
_LANDLOCK_FILES = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}
"""Rights by version of Landlock's interface (landlock(7)); later versions have those of the fifth."""

_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EACCES, _ENOSYS = 13, 38


class _Machine(NamedTuple):
    audit_arch: int
    column: int


_MACHINES = {"x86_64": _Machine(0xC000003E, 0), "aarch64": _Machine(0xC00000B7, 1)}
_ALLOWED = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "fstat": (5, 80), "poll": (7, -1), "lseek": (8, 62),
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "pread64": (17, 67), "readv": (19, 65),
    "writev": (20, 66), "sched_yield": (24, 124), "mremap": (25, 216), "madvise": (28, 233), "nanosleep": (35, 101),
    "getpid": (39, 172), "exit": (60, 93), "uname": (63, 160), "gettimeofday": (96, 169), "getrusage": (98, 165),
    "sysinfo": (99, 179), "times": (100, 153), "sigaltstack": (131, 132), "gettid": (186, 178), "futex": (202, 98),
    "sched_getaffinity": (204, 123), "set_tid_address": (218, 96), "restart_syscall": (219, 128),
    "clock_gettime": (228, 113), "clock_getres": (229, 114), "clock_nanosleep": (230, 115), "exit_group": (231, 94),
    "newfstatat": (262, 79), "ppoll": (271, 73), "set_robust_list": (273, 99), "getcpu": (309, 168),
    "getrandom": (318, 278), "membarrier": (324, 283), "rseq": (334, 293),
}  # fmt: skip
"""System calls by their numbers on x86-64 and on 64-bit ARM: what Python, NumPy and the decoders need to compute."""
_REFUSED = {"open": (2, -1), "openat": (257, 56), "creat": (85, -1), "openat2": (437, 437), "socket": (41, 198)}
"""These say "permission denied", so that a program knows why; all others aren't there at all (ENOSYS)."""
_CLONE, _TGKILL = (56, 220), (234, 131)


def close_in(memory_bytes: int) -> tuple[str, ...]:
    """Put up every layer that this system has; their names. There is no way back.

    `memory_bytes`: how much more address space than now."""
    libc = ctypes.CDLL(None, use_errno=True)
    holds = []
    _limits(memory_bytes)
    holds.append(MEMORY)
    if sys.platform != "linux":
        return tuple(holds)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC) == 0:
        holds.append(NETWORK)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return tuple(holds)
    if _landlock(libc):
        holds.append(FILES)
    if _seccomp(libc):
        holds.append(CALLS)
    return tuple(holds)


def leave_with_parent() -> None:
    """Be killed when the engine is gone, however it went."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)


def _limits(memory_bytes: int) -> None:
    used = 0
    if sys.platform == "linux":
        with open("/proc/self/statm") as text:
            used = int(text.read().split()[0]) * resource.getpagesize()
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 16),
    ):
        resource.setrlimit(kind, (most, most))
    if used:
        resource.setrlimit(resource.RLIMIT_AS, (used + memory_bytes, used + memory_bytes))


def _landlock(libc: ctypes.CDLL) -> bool:
    """No rule allows anything: no file, no directory, no TCP port, no abstract socket, no signal to others."""
    version = libc.syscall(_LANDLOCK_CREATE, None, 0, 1)
    if version < 1:
        return False
    rights = struct.pack("<Q", _LANDLOCK_FILES[min(version, 5)])
    if version >= 4:
        rights += struct.pack("<Q", 3)
    if version >= 6:
        rights += struct.pack("<Q", 3)
    ruleset = libc.syscall(_LANDLOCK_CREATE, rights, len(rights), 0)
    if ruleset < 0:
        return False
    done = libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0) == 0
    os.close(ruleset)
    return bool(done)


def _seccomp(libc: ctypes.CDLL) -> bool:
    machine = _MACHINES.get(platform.machine())
    if machine is None or sys.byteorder != "little":
        return False
    program = _filter(machine, os.getpid())
    buffer = ctypes.create_string_buffer(program)

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    whole = Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(whole), 0, 0) == 0)


def _filter(machine: _Machine, pid: int) -> bytes:
    """A classic BPF program (seccomp(2)): (code, jump if true, jump if false, value), eight bytes each."""
    load, equal, at_least, has_bits, give = 0x20, 0x15, 0x35, 0x45, 0x06
    number, arch, first_argument = 0, 4, 16
    column = machine.column
    lines = [
        (load, 0, 0, arch),
        (equal, 1, 0, machine.audit_arch),
        (give, 0, 0, _KILL),
        (load, 0, 0, number),
        (at_least, 0, 1, 0x40000000),  # the second numbering of x86 (x32) would walk around the list
        (give, 0, 0, _KILL),
    ]
    for numbers in _ALLOWED.values():
        if numbers[column] >= 0:
            lines += [(equal, 0, 1, numbers[column]), (give, 0, 0, _ALLOW)]
    for numbers in _REFUSED.values():
        if numbers[column] >= 0:
            lines += [(equal, 0, 1, numbers[column]), (give, 0, 0, _ERRNO | _EACCES)]
    lines += [
        # Threads, but no processes; signals to itself (abort), but to nobody else.
        (equal, 0, 4, _CLONE[column]),
        (load, 0, 0, first_argument),
        (has_bits, 0, 1, _CLONE_THREAD),
        (give, 0, 0, _ALLOW),
        (give, 0, 0, _ERRNO | _EACCES),
        (equal, 0, 4, _TGKILL[column]),
        (load, 0, 0, first_argument),
        (equal, 0, 1, pid),
        (give, 0, 0, _ALLOW),
        (give, 0, 0, _ERRNO | _EACCES),
        (give, 0, 0, _ERRNO | _ENOSYS),
    ]
    return b"".join(struct.pack("<HBBI", *line) for line in lines)
