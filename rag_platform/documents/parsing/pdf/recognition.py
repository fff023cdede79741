"""Letters of scanned pages, recognised by the tesseract program where it is installed."""

import ctypes
import functools
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any, cast

import pypdfium2  # pyright: ignore[reportMissingTypeStubs]
import pypdfium2.raw as pdfium  # pyright: ignore[reportMissingTypeStubs]

from rag_platform.documents.parsing.pdf.drawing import draw

_RAW = cast(Any, pdfium)
_PROGRAM = "tesseract"
_DOTS_PER_INCH = 300
_PIXELS = 25_000_000
"""A page of A3 at 300 dots per inch has 17 million."""
_PAGE_SECONDS = 30
_WHOLE_SECONDS = 600.0
_SHARE = 0.8
"""Of the time that the document has; what is recognised by then is better than nothing."""
_LANGUAGES = 4
_SURE = 60.0
"""Of 100. English pages have 95; pages in Korean and Arabic, read as English, 20 to 46."""
_PARENT_DEATH = 1  # PR_SET_PDEATHSIG
_LETTER = re.compile(r"[^\W\d_]")


def deadline() -> float:
    """When recognition has to end, on the monotonic clock.

    In the parser's process the limit of processor time tells how long the document may take.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_CPU)
    if limit == resource.RLIM_INFINITY:
        return time.monotonic() + _WHOLE_SECONDS
    used = resource.getrusage(resource.RUSAGE_SELF)
    left = limit - used.ru_utime - used.ru_stime - 2
    return time.monotonic() + min(_SHARE * max(left, 0.0), _WHOLE_SECONDS)


@dataclass(frozen=True)
class Recognised:
    """What was recognised on some pages, counted from zero."""

    texts: dict[int, str] = field(default_factory=dict[int, str])
    """Empty where no letters were found; a page that was not reached is not in it."""
    unsure: list[int] = field(default_factory=list[int])
    """Pages whose letters are guesses, such as those of a language that is not installed."""


def recognise(document: Any, numbers: list[int], until: float) -> Recognised:
    """The text of pages, as far as time allows."""
    languages = _languages(max(1.0, min(_PAGE_SECONDS, until - time.monotonic())))
    found = Recognised()
    for number in numbers:
        seconds = min(_PAGE_SECONDS, until - time.monotonic())
        if seconds < 1 or languages is None:
            break
        image = _image(document, number, seconds)
        if image is None:
            found.texts[number] = ""
            continue
        answer = _run(["stdin", "stdout", "-l", languages, "tsv"], image, seconds)
        if answer is None:
            continue
        text, sureness = _read_table(answer.decode("utf-8", "replace"))
        if sureness < _SURE:
            found.unsure.append(number)
        found.texts[number] = text if sureness >= _SURE else ""
    return found


def _read_table(table: str) -> tuple[str, float]:
    """The text of tesseract's table, and how sure it is of its letters (0 to 100).

    A text without letters is empty, and sure.
    """
    text: list[str] = []
    weights = sure = 0.0
    last: list[str] = []
    for line in table.splitlines()[1:]:
        fields = line.split("\t", 11)
        if len(fields) < 12 or not (word := fields[11].strip()):
            continue
        place = fields[2:5]  # block, paragraph, line
        if last:
            text.append(" " if place == last else "\n" if place[:2] == last[:2] else "\n\n")
        text.append(word)
        last = place
        if letters := len(_LETTER.findall(word)):
            weights += letters
            sure += letters * float(fields[10])
    return ("".join(text), sure / weights) if weights else ("", 100.0)


def _image(document: Any, number: int, seconds: float) -> bytes | None:
    """The page in grey as PGM; ``None`` where nothing is on it."""
    try:
        page = document[number]
    except pypdfium2.PdfiumError:
        return None
    try:
        if not _RAW.FPDFPage_CountObjects(page.raw):
            return None
        width, height = page.get_size()
        scale = min(_DOTS_PER_INCH / 72, (_PIXELS / max(width * height, 1.0)) ** 0.5)
        drawing = draw(page, scale, seconds / 2)
        if drawing is None or drawing.blank:
            return None
        return f"P5 {drawing.width} {drawing.height} 255\n".encode() + drawing.grey
    finally:
        page.close()


@functools.cache
def _languages_installed(program: str) -> tuple[str, ...]:
    answer = _run(["--list-langs"], b"", 10, program)
    names = (answer or b"").decode("utf-8", "replace").splitlines()[1:]
    return tuple(sorted(name for name in names if name not in ("osd", "equ")))


def _languages(seconds: float) -> str | None:
    """All languages that are installed, English first; each costs time, so not more than four."""
    program = shutil.which(_PROGRAM)
    if program is None or seconds <= 1:
        return None
    installed = sorted(_languages_installed(program), key=lambda name: name != "eng")
    return "+".join(installed[:_LANGUAGES]) or None


def _run(
    arguments: list[str], data: bytes, seconds: float, program: str | None = None
) -> bytes | None:
    """What the program says, ``None`` where it fails or takes too long. It ends with its caller."""
    path = program or shutil.which(_PROGRAM)
    if path is None:
        return None
    try:
        done = subprocess.run(
            [path, *arguments],
            input=data,
            capture_output=True,
            timeout=seconds,
            check=False,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            preexec_fn=_end_with_parent,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None


def _end_with_parent() -> None:
    """Between fork and exec: a killed parser must not leave a child that goes on computing."""
    soft = _PAGE_SECONDS + 5
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard == resource.RLIM_INFINITY or soft < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
    if sys.platform == "linux":
        _LIBC.prctl(_PARENT_DEATH, signal.SIGKILL, 0, 0, 0)


_LIBC = ctypes.CDLL(None)
