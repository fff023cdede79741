"""Files made to do harm, with what must become of each."""

import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from pypdf import PdfReader, PdfWriter

READ = ""
"""Instead of a reason: the file holds a text that can be read."""

_SEEN = b"BT /F1 12 Tf 50 700 Td (The code word is heron.) Tj ET\n"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_SAYS = "<w:p><w:r><w:t>The code word is heron.</w:t></w:r></w:p>"


@dataclass(frozen=True)
class Places:
    """``address`` is a URL that nobody may ask for, ``secret`` a file that nobody may read."""

    address: str
    secret: Path


Maker = Callable[[Places], bytes]


def encrypted(_: Places) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(_SEEN))))
    writer.encrypt("password", algorithm="AES-256")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def pages_in_circles(_: Places) -> bytes:
    pages = b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"
    return _numbered(b"<< /Type /Catalog /Pages 2 0 R >>", pages)


def tables_in_circles(_: Places) -> bytes:
    whole = pdf(_SEEN)
    place = whole.rindex(b"xref\n0")
    return whole.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev %d" % place)


def forms_in_circles(_: Places) -> bytes:
    form = (
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /N 6 0 R >> >>"
        b" /Length 5 >>\nstream\n/N Do\nendstream"
    )
    return pdf(_SEEN + b"/N Do", form, b"/XObject << /N 6 0 R >>")


def corrupt(_: Places) -> bytes:
    damaged = bytearray(word())
    middle = len(damaged) // 2
    damaged[middle - 100 : middle + 100] = Random(1).randbytes(200)
    return bytes(damaged)


def many_members(_: Places) -> bytes:
    file = io.BytesIO(word())
    with zipfile.ZipFile(file, "a", zipfile.ZIP_STORED) as archive:
        for number in range(100_000):
            archive.writestr(zipfile.ZipInfo(f"word/{number}.xml"), b"")
    return file.getvalue()


def laughs(_: Places) -> bytes:
    lines = [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10)]
    return word("&l9;", entities="".join(lines))


def outside_entities(places: Places) -> bytes:
    uri = places.secret.as_uri()
    return word(
        "&x;", entities=f'<!ENTITY x SYSTEM "{uri}"><!ENTITY % y SYSTEM "{places.address}">'
    )


def outside_relations(places: Places) -> bytes:
    targets = {
        "attachedTemplate": places.address,
        "header": places.secret.as_uri(),
        "image": places.address,
    }
    return word(
        relations="".join(
            f'<Relationship Id="{kind}" Type="{_OFFICE}/{kind}" TargetMode="External" '
            f'Target="{target}"/>'
            for kind, target in targets.items()
        )
    )


def page(places: Places) -> bytes:
    address, secret = places.address, places.secret.as_uri()
    return (
        f'<!DOCTYPE html [<!ENTITY x SYSTEM "{secret}">]><body><p>The code word is heron. &x;'
        f'<img src="{address}"><iframe src="{secret}"></iframe><script src="{address}"></script>'
    ).encode()


def including(places: Places) -> bytes:
    return f"Heron\n=====\n\nThe code word.\n\n.. include:: {places.secret}\n".encode()


FILES: dict[str, tuple[Maker, str]] = {
    "encrypted.pdf": (encrypted, "encrypted"),
    "truncated.pdf": (lambda _: pdf(_SEEN)[:300], "damaged"),
    "without a table.pdf": (lambda _: pdf(_SEEN).partition(b"xref\n0")[0], READ),
    "pages in circles.pdf": (pages_in_circles, "."),
    "tables in circles.pdf": (tables_in_circles, READ),
    "forms in circles.pdf": (forms_in_circles, READ),
    "bomb.pdf": (lambda _: pdf(_spaces(300), packed=True), "unpacks to more than"),
    "noise.pdf": (lambda _: b"%PDF-1.7\n" + Random(1).randbytes(20_000), "damaged"),
    "corrupt.docx": (corrupt, "damaged"),
    "truncated.docx": (lambda _: word()[:500], "damaged"),
    "bomb.docx": (lambda _: word(" " * (80 << 20)), "it would grow to"),
    "members.docx": (many_members, "more than 20000 parts"),
    "laughs.docx": (laughs, "declares XML entities"),
    "outside entities.docx": (outside_entities, "declares XML entities"),
    "outside relations.docx": (outside_relations, READ),
    "nothing.pdf": (lambda _: b"", "empty"),
    "picture.pdf": (
        lambda _: b"\x89PNG\r\n\x1a\n" + Random(1).randbytes(2000),
        "This is a picture",
    ),
    "program.docx": (
        lambda _: b"\x7fELF\x02\x01\x01" + Random(1).randbytes(2000),
        "This is a program",
    ),
    "really a page.pdf": (lambda _: b"<!doctype html><p>The code word is heron.</p>", READ),
    "really a letter.txt": (lambda _: word(), READ),
    "page.html": (page, READ),
    "deep.html": (lambda _: b"<div>" * 100_000 + b"The code word is heron.", READ),
    "deep.json": (lambda _: b'{"a":' * 100_000 + b'"heron"' + b"}" * 100_000, READ),
    "one word.txt": (lambda _: b"heron" * 400_000, "repeated 400,000 times"),
    "one line.txt": (lambda _: b"heron " + Random(3).randbytes(60_000).hex().encode(), READ),
    "nulls.txt": (lambda _: bytes(100_000), "damaged"),
    "including.rst": (including, READ),
}
"""Who makes each, and a part of the reason."""


def pdf(content: bytes, drawn: bytes = b"", resources: bytes = b"", packed: bool = False) -> bytes:
    """A PDF of one page; ``drawn`` is its object 6."""
    filters = b"/Filter /FlateDecode " if packed else b""
    return _numbered(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R "
        b"/Resources << /Font << /F1 3 0 R >> " + resources + b" >> >>",
        b"<< " + filters + b"/Length %d >>\nstream\n" % len(content) + content + b"\nendstream",
        *([drawn] if drawn else []),
    )


def word(text: str = "", entities: str = "", relations: str = "") -> bytes:
    """A Word document that says a code word, and more."""
    kind = f"<!DOCTYPE x [{entities}]>" if entities else ""
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="a" '
        f'Type="{_OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{_PACKAGE}">{relations}'
        "</Relationships>",
        "word/document.xml": f'{kind}<w:document xmlns:w="{_WORD}"><w:body>{_SAYS}<w:p><w:r><w:t>'
        f"{text}</w:t></w:r></w:p></w:body></w:document>",
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def _spaces(megabytes: int) -> bytes:
    packer = zlib.compressobj(9)
    pieces = [packer.compress(b" " * (1 << 20)) for _ in range(megabytes)]
    return b"".join((*pieces, packer.flush()))


def _numbered(*objects: bytes) -> bytes:
    data = b"%PDF-1.7\n"
    places: list[int] = []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    table += b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n" % (len(objects) + 1)
    return data + table + end + b"%d\n%%%%EOF\n" % len(data)
