"""What is checked before anything starts, each with one sentence and a remedy."""

import contextlib
import errno
import importlib.util
import shutil
import socket
import sys
from collections.abc import Generator, Mapping
from pathlib import Path

import psutil

from rag_platform.errors import StartError

OLDEST_PYTHON = (3, 11)
LEAST_FREE_BYTES = 1 << 30


def check_python() -> None:
    """Python is new enough."""
    if sys.version_info[:2] < OLDEST_PYTHON:
        have = ".".join(str(part) for part in sys.version_info[:3])
        raise StartError(f"Python 3.11 or newer is needed, this is {have}.", "Install a newer one.")


def check_packages(root: Path) -> None:
    """The packages around the library are this project's: their names are generic."""
    for name in ("assets", "resources", "sensors"):
        found = importlib.util.find_spec(name)
        places = [] if found is None else [found.origin, *(found.submodule_search_locations or ())]
        if not any(place and Path(place).resolve().is_relative_to(root) for place in places):
            raise StartError(
                f"Another package called {name!r} hides this project's: {places}.",
                f"Uninstall it, or install this project again from {root}.",
            )


def check_home(home: Path, least: int = LEAST_FREE_BYTES) -> None:
    """The home exists, can be written and has room."""
    with explained(home):
        home.mkdir(parents=True, exist_ok=True)
        trial = home / ".writable"
        trial.write_bytes(b"x" * 4096)
        trial.unlink()
        free = shutil.disk_usage(home).free
    if free < least:
        raise StartError(
            f"The disk of {home} has {free / 2**30:.1f} GB free, at least {least / 2**30:.1f} are"
            " needed.",
            "Make room or set RAG_HOME.",
        )


@contextlib.contextmanager
def explained(home: Path, setting: str = "RAG_HOME") -> Generator[None]:
    """Turn an error of the system while writing under the home into a sentence."""
    try:
        yield
    except OSError as error:
        where = error.filename or home
        sentences = {
            errno.ENOSPC: (f"The disk of {home} is full.", f"Make room or set {setting}."),
            errno.EDQUOT: (
                f"The disk quota for {home} is used up.",
                f"Make room or set {setting}.",
            ),
            errno.EROFS: (f"{where} cannot be written: the disk is read-only.", f"Set {setting}."),
            errno.EACCES: (f"{where} cannot be written: permission denied.", f"Set {setting}."),
        }
        default = (f"{where} cannot be used: {error.strerror or error}.", f"Set {setting}.")
        raise StartError(*sentences.get(error.errno or 0, default)) from error


def check_ports(ports: Mapping[str, tuple[str, int]]) -> None:
    """The ports, by the setting that changes each, are different and free."""
    seen: dict[int, str] = {}
    for setting, (host, port) in ports.items():
        if port in seen:
            raise StartError(f"{seen[port]} and {setting} are both {port}.", "Change one of them.")
        seen[port] = setting
        try:
            with _bound(host, port):
                pass
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise StartError(
                    f"{host} is no address of this machine.", "Correct RAG_HOST."
                ) from error
            if error.errno == errno.EADDRINUSE:
                reason = f"is taken{_holder(port)}"
            else:
                reason = f"cannot be used ({error.strerror or error})"
            raise StartError(
                f"Port {port} on {host} {reason}.", f"Free it or set {setting} to another."
            ) from error


def check_host(setting: str, host: str) -> None:
    """Raise :class:`StartError` where a host's name leads nowhere."""
    try:
        socket.getaddrinfo(host, None)
    except OSError as error:
        raise StartError(
            f"{setting} names a host that cannot be found: {host}.", "Correct it and start again."
        ) from error


def free_port() -> int:
    """A port that nobody listens on now."""
    with _bound("127.0.0.1", 0) as listener:
        return int(listener.getsockname()[1])


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # As servers do: connections that linger from the last run don't count as taken.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except BaseException:
        listener.close()
        raise
    return listener


def _holder(port: int) -> str:
    # Other people's processes are visible to root only.
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and tuple(connection.laddr)[1:]
            if listens == (port,) and connection.pid:
                return f" by process {connection.pid}, {psutil.Process(connection.pid).name()}"
    return ""
