"""What a process that reads documents may not do, whatever stands in them.

It has no network, leaves no file behind and changes none, and stays in its process group, so that
it can be ended with everything that it started. Anonymous temporary files (``TemporaryFile``)
work, and programs may be run on pipes.
"""

import ctypes
import errno
import os
import platform
import resource
import struct
import sys
from pathlib import Path

_FILE_BYTES = 64 << 20
"""The largest temporary file."""

_OPEN_FILES = 128
_MORE_PROCESSES = 256
"""The kernel counts all processes of a user, so the limit lies above what runs already."""

_X86_64, _AARCH64 = 0xC000003E, 0xC00000B7
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    # Numbers on x86_64 and aarch64. Not only the network's families: a local socket may be that
    # of a database or of a container daemon.
    "socket": (41, 198),
    "io_uring_setup": (425, 425),
    # Files
    "creat": (85, None),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rmdir": (84, None),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "truncate": (76, 45),
    "chmod": (90, None),
    "fchmodat": (268, 53),
    "chown": (92, None),
    "lchown": (94, None),
    "fchownat": (260, 54),
    # Other processes, and ways out of the group
    "setsid": (112, 157),
    "setpgid": (109, 154),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    # The kernel's less travelled parts
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
}
_OPENING: tuple[tuple[tuple[int | None, int | None], int], ...] = (
    ((2, None), 1),  # open: the flags are the second argument
    ((257, 56), 2),  # openat: the third
)
_OPENAT2 = 437
"""Its flags lie in memory, where a filter cannot look: libraries fall back to openat."""

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000


def limit_resources(memory: int) -> None:
    """Limit memory (bytes of address space), files and processes, where the system enforces it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_FSIZE, _FILE_BYTES)
    _lower(resource.RLIMIT_NOFILE, _OPEN_FILES)
    if sys.platform == "linux":  # macOS knows the first limit's name only
        _lower(resource.RLIMIT_AS, memory)
        running = int(Path("/proc/loadavg").read_text().split()[3].partition("/")[2])
        _lower(resource.RLIMIT_NPROC, running + _MORE_PROCESSES)


def refuse_system_calls() -> bool:
    """Refuse the calls above for this process and its children, for good; whether that worked.

    Works unprivileged on Linux on x86-64 and ARM64. Elsewhere the limits have to do.
    """
    machine = {"x86_64": (_X86_64, 0), "aarch64": (_AARCH64, 1)}.get(platform.machine())
    if sys.platform != "linux" or machine is None:
        return False
    program = _filter(*machine)
    code = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    arguments = Program(len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, set_seccomp, filter_mode = 38, 22, 2
    return (
        libc.prctl(no_new_privileges, 1, 0, 0, 0) == 0
        and libc.prctl(set_seccomp, filter_mode, ctypes.byref(arguments), 0, 0) == 0
    )


def _filter(architecture: int, column: int) -> bytes:
    """The program for the kernel's filter: classic BPF, 8 bytes an instruction."""
    refused, no_such_call = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS
    # The architecture first: a program of another one would number its calls differently.
    code = [_step(_LOAD, 4), _step(_EQUAL, architecture, yes=1), _step(_RETURN, refused)]
    code += [_step(_LOAD, 0)]
    code += [_step(_AT_LEAST, 0x40000000, no=1), _step(_RETURN, refused)]  # x32 numbers
    code += [_step(_EQUAL, _OPENAT2, no=1), _step(_RETURN, no_such_call)]
    for numbers in _REFUSED.values():
        if (number := numbers[column]) is not None:
            code += [_step(_EQUAL, number, no=1), _step(_RETURN, refused)]
    for numbers, argument in _OPENING:
        if (number := numbers[column]) is not None:
            code += [
                _step(_EQUAL, number, no=4),
                _step(_LOAD, 16 + 8 * argument),
                _step(_ANY_BIT, os.O_CREAT | os.O_TRUNC, no=1),
                _step(_RETURN, refused),
                _step(_RETURN, _ALLOW),
            ]
    return b"".join([*code, _step(_RETURN, _ALLOW)])


def _step(operation: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", operation, yes, no, value)


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (bound, bound))
