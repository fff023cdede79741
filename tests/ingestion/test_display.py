"""What is shown while `rag ingest` runs, on a terminal and elsewhere."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from rag_platform.documents.ingestion import DocumentsReport
from rag_platform.ingestion import display as module
from rag_platform.ingestion.copying import Copied
from rag_platform.ingestion.display import Display, shortened
from rag_platform.ingestion.pipeline import Progress

NAMES = [
    "a" * 120 + "/" + "b" * 254 + ".pdf",
    "報告書" * 84 + ".pdf",
    "תקנון" * 50 + "\u202egnp.md",
    "line\nbreak\r\x1b[2J\x1b]0;title\x07" + "x" * 200,
    "e\u0301" * 120 + ".md",
    "👶🏽👩‍👩‍👧" * 30,
    "half \ud800 of a pair" * 20,
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [1, 2, 3, 20, 79])
def test_a_name_takes_one_line_however_long_and_wide_it_is(name, width):
    shown = shortened(name, width)
    assert cell_len(shown) <= width
    assert "\n" not in shown and "\x1b" not in shown and "\u202e" not in shown
    if width > 20 and "\u200d" not in name:  # those are measured one by one, to be safe
        assert cell_len(shown) >= width - 3  # as much as fits
        assert shown.count("…") == 1


def test_a_long_name_keeps_its_beginning_and_its_end():
    assert shortened("reports/2024/a very long name of a file.pdf", 20) == "reports/20… file.pdf"
    assert shortened("short.md", 20) == "short.md"


@given(st.text(max_size=60), st.integers(1, 40))
def test_any_name_fits_any_width(name, width):
    assert cell_len(shortened(name, width)) <= width


def shown(console):
    return console.file.getvalue()


def terminal(width=60):
    return Console(
        file=io.StringIO(), force_terminal=True, width=width, height=20, _environ={"TERM": "xterm"}
    )


def of(read, left, embedded, chunks=0):
    report = DocumentsReport(read=[f"papers/{n}.md" for n in range(read)], left=left)
    return Progress(documents=report, embedded=embedded, chunks=chunks)


@pytest.mark.parametrize("name", NAMES)
def test_bars_are_never_wider_than_the_terminal(name):
    console = terminal()
    with Display(console) as display:
        display.copied(Copied(found=1, written=1, last=name))
        display._bars.refresh()
        display.ingesting()
        progress = of(0, 3, 0)
        progress.documents.read.append(name)
        display.ingested(progress)
        display._bars.refresh()
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown(console))
    assert all(cell_len(line) <= 60 for line in re.split(r"[\r\n]", plain))
    assert "\x07" not in shown(console)


def test_a_name_is_not_shown_for_long(monkeypatch):
    monkeypatch.setattr(module, "_NAME_SECONDS", 0.0)
    console = terminal()
    with Display(console) as display:
        display.copied(Copied(found=1, last="old.md"))
        display._bars.refresh()
    assert "old.md" not in shown(console)


def lines(console):
    return shown(console).splitlines()


def test_without_a_terminal_lines_come_at_each_tenth_and_not_more_often(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(module, "_now", lambda: now[0])
    console = Console(file=io.StringIO(), width=80)
    with Display(console) as display:
        display.ingesting()
        for done in range(101):
            now[0] += 2.0
            display.ingested(of(done, 100 - done, done, chunks=done))
    assert len(lines(console)) == 10
    assert lines(console)[4] == (
        "1 min 42 s  50 of 100 documents read, 50 chunks embedded, 50%, about 1 min 42 s left"
    )


def test_without_a_terminal_a_small_ingestion_says_nothing_before_its_end():
    console = Console(file=io.StringIO(), width=80)
    with Display(console) as display:
        display.copied(Copied(found=3))
        display.ingesting()
        for done in range(4):
            display.ingested(of(done, 3 - done, done, chunks=done))
    assert lines(console) == []


def test_without_a_terminal_a_line_comes_though_nothing_happens(monkeypatch, eventually):
    monkeypatch.setattr(module, "_LINE_SECONDS", 0.2)
    console = Console(file=io.StringIO(), width=80)
    with Display(console) as display:
        display.ingesting()
        display.ingested(of(1, 9, 0, chunks=1))
        eventually(lambda: len(lines(console)) >= 2)
    assert "1 of 10 documents read, 0 chunks embedded, 0%" in lines(console)[0]
