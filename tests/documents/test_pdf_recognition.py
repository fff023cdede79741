"""Scanned pages: recognised where tesseract is installed, said to be scans elsewhere."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import psutil
import pypdfium2
import pytest

from rag_platform.documents.isolation import ParserProcess
from rag_platform.documents.parsing import parse
from rag_platform.documents.parsing.scans import SCANNED
from rag_platform.errors import UnreadableDocument

PagePdf = Callable[..., bytes]

needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="the tesseract program is not installed"
)
SENTENCE = b"BT /F1 24 Tf 50 600 Td (The harbour master counts forty ducks.) Tj ET\n"
FULL_PAGE_PICTURE = b"q 612 0 0 792 0 0 cm /Im Do Q\n"


@pytest.fixture
def scan(page_pdf: PagePdf) -> Callable[..., bytes]:
    """A PDF of one scanned page with a sentence, and of what else the page and others bear."""

    def make(*others: bytes, on_it: bytes = b"") -> bytes:
        document = pypdfium2.PdfDocument(page_pdf(SENTENCE))
        bitmap = document[0].render(scale=2, grayscale=True)
        size = f"/Width {bitmap.stride} /Height {bitmap.height}".encode()
        grey = zlib.compress(bytes(bitmap.buffer))
        picture = (
            b"<< /Type /XObject /Subtype /Image /ColorSpace /DeviceGray /BitsPerComponent 8 "
            + size
            + f" /Filter /FlateDecode /Length {len(grey)} >>\nstream\n".encode()
            + grey
            + b"\nendstream"
        )
        document.close()
        return page_pdf(
            FULL_PAGE_PICTURE + on_it,
            *others,
            objects=(picture,),
            resources=b"/XObject << /Im 4 0 R >>",
        )

    return make


def slow_tesseract(folder: Path) -> None:
    """A program of that name which never ends."""
    program = folder / "tesseract"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --list-langs ] && echo list && echo eng && exit\n'
        f"exec {shutil.which('sleep')} 600\n"
    )
    program.chmod(0o755)


def running_below(pid: int) -> psutil.Process | None:
    """That program, where a process started it."""
    for child in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.name() == "sleep":
                return child
    return None


@needs_tesseract
def test_the_letters_of_a_scan_are_recognised_and_that_is_noted(
    scan: Callable[..., bytes], parser: ParserProcess
) -> None:
    document = parser.parse(scan(), "a.pdf")
    assert document.text == "The harbour master counts forty ducks."
    assert document.notes == ("The text was recognised from scans; expect misread letters.",)
    assert document.page_count == 1


@needs_tesseract
def test_a_scanned_page_among_others_is_recognised(scan: Callable[..., bytes]) -> None:
    document = parse(scan(b"BT /F1 12 Tf 50 600 Td (Printed.) Tj ET"), "a.pdf")
    pages = [document.text[page.start : page.end].strip() for page in document.pages]
    assert pages == ["The harbour master counts forty ducks.", "Printed."]
    assert document.notes == (
        "The text of page 1 was recognised from scans; expect misread letters.",
    )


@needs_tesseract
def test_a_scan_without_letters_is_said_to_have_none(page_pdf: PagePdf) -> None:
    with pytest.raises(UnreadableDocument, match="no letters were recognised"):
        parse(page_pdf(b"0 0 100 100 re f"), "a.pdf")


def test_without_the_program_a_scan_is_said_to_be_one(
    scan: Callable[..., bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnreadableDocument) as unreadable:
        parse(scan(), "a.pdf")
    assert str(unreadable.value) == SCANNED
    document = parse(scan(b"BT /F1 12 Tf 50 600 Td (Printed.) Tj ET"), "a.pdf")
    assert document.notes == ("Page 1 has no text; it seems to be a scan.",)


def test_a_program_that_never_answers_costs_no_more_than_the_time_for_the_document(
    scan: Callable[..., bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_tesseract(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        ParserProcess(timeout=5, memory_megabytes=1024) as parser,
        pytest.raises(UnreadableDocument, match="recognising them took too long"),
    ):
        parser.parse(scan(), "a.pdf")
    assert running_below(os.getpid()) is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
@pytest.mark.parametrize("ended", ["the parser", "its parent"])
def test_what_ends_the_parser_ends_the_program(
    scan: Callable[..., bytes], tmp_path: Path, ended: str
) -> None:
    slow_tesseract(tmp_path)
    (tmp_path / "scan.pdf").write_bytes(scan())
    code = (
        "import sys; from rag_platform.documents.isolation import ParserProcess\n"
        "parser = ParserProcess(timeout=300, memory_megabytes=1024)\n"
        "parser.parse(open(sys.argv[1], 'rb').read(), 'a.pdf')"
    )
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "scan.pdf")],
        env={**os.environ, "PATH": str(tmp_path), "PYTHONPATH": root},
        stderr=subprocess.DEVNULL,
    ) as process:
        until = time.monotonic() + 60
        while (program := running_below(process.pid)) is None:
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.05)
        parser = program.parent()
        assert parser is not None and parser.pid != process.pid
        os.kill(parser.pid if ended == "the parser" else process.pid, signal.SIGKILL)
        program.wait(30)
        process.kill()
