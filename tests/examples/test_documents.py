"""The sample documents: all can be read, and those that a script makes are what it makes."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from rag_platform.documents.parsing import PARSERS, parse
from rag_platform.documents.parsing.formats import DOCX, HTML, MARKDOWN, PDF, TEXT

EXAMPLES = Path(__file__).parents[2] / "examples"
DOCUMENTS = EXAMPLES / "documents"
KEYS = sorted(
    path.relative_to(DOCUMENTS).as_posix() for path in DOCUMENTS.rglob("*") if path.is_file()
)


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    """The script that makes the Word file and the PDF."""
    spec = importlib.util.spec_from_file_location("make_documents", EXAMPLES / "make_documents.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def words(text: str) -> str:
    """The text without regard to line breaks."""
    return " ".join(text.split())


def paragraphs(sections: list[tuple[str, list[str]]]) -> Iterator[str]:
    for heading, texts in sections:
        yield heading
        yield from (text.removeprefix("- ") for text in texts if text != "TABLE")


@pytest.mark.parametrize("key", KEYS)
def test_every_sample_can_be_read_and_lies_in_a_collection(key: str) -> None:
    document = parse((DOCUMENTS / key).read_bytes(), key)
    assert len(document.text.split()) > 100
    assert "/" in key


@pytest.mark.parametrize("key", [key for key in KEYS if not key.endswith(".txt")])
def test_every_sample_of_a_format_with_titles_has_one(key: str) -> None:
    assert parse((DOCUMENTS / key).read_bytes(), key).title


def test_the_samples_show_the_usual_formats() -> None:
    shown = {parse((DOCUMENTS / key).read_bytes(), key).media_type for key in KEYS}
    assert shown == {MARKDOWN, TEXT, HTML, PDF, DOCX} <= set(PARSERS)


def test_the_committed_files_are_what_the_script_makes(maker: ModuleType) -> None:
    # The PDF to the byte; a Word file's other parts change with the library that writes it.
    assert (DOCUMENTS / maker.PDF).read_bytes() == maker.pdf()
    committed = parse((DOCUMENTS / maker.WORD).read_bytes(), maker.WORD)
    assert committed == parse(maker.word(), maker.WORD)


def test_the_word_file_holds_the_scripts_text(maker: ModuleType) -> None:
    document = parse((DOCUMENTS / maker.WORD).read_bytes(), maker.WORD)
    text = words(document.text)
    expected = [*paragraphs(maker.WORD_SECTIONS), *(cell for row in maker.FORMATS for cell in row)]
    assert [item for item in expected if item not in text] == []
    assert (document.title, document.author) == (maker.WORD_TITLE, maker.AUTHOR)
    assert [heading.title for heading in document.headings] == [
        maker.WORD_TITLE,
        *(heading for heading, _ in maker.WORD_SECTIONS),
    ]


def test_the_pdf_holds_the_scripts_text_page_by_page(maker: ModuleType) -> None:
    document = parse((DOCUMENTS / maker.PDF).read_bytes(), maker.PDF)
    assert (document.title, document.author) == (maker.PDF_TITLE, maker.AUTHOR)
    assert document.page_count == len(maker.PDF_PAGES)
    for page, sections in zip(document.pages, maker.PDF_PAGES, strict=True):
        text = words(document.text[page.start : page.end])
        assert [item for item in paragraphs(sections) if item not in text] == []
    assert [heading.title for heading in document.headings] == [
        heading for sections in maker.PDF_PAGES for heading, _ in sections
    ]
