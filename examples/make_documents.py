"""Makes the sample documents that nobody writes by hand: a Word file and a PDF.

Run it from the repository after a change of the texts below, and commit what it writes:

    .venv/bin/python examples/make_documents.py

Equal texts give equal bytes: times are fixed, and the PDF is written out here, since a library that
lays out pages would be one more dependency for three pages of text.
"""

import io
import textwrap
import zipfile
from datetime import datetime
from pathlib import Path

import docx

DOCUMENTS = Path(__file__).parent / "documents"
WORD = "handbook/file-formats.docx"
PDF = "operations/operations-guide.pdf"
AUTHOR = "The RAG platform's authors"
WRITTEN = datetime(2026, 1, 15, 9, 0)

Section = tuple[str, list[str]]

WORD_TITLE = "File formats and quarantine"
FORMATS = [
    ("Format", "File name ends in", "What is read besides the text"),
    ("Markdown", ".md", "headings; title, author and date from the front matter"),
    ("Plain text", ".txt", "nothing"),
    ("PDF", ".pdf", "pages, bookmarks, title, author, dates"),
    ("Word", ".docx", "headings, lists, tables, footnotes, title, author, dates"),
    ("HTML", ".html", "headings, lists, tables, title, author, date"),
    ("PowerPoint", ".pptx", "slides, tables, speaker notes, title, author, dates"),
    ("Excel and CSV", ".xlsx, .csv", "every row with its header; sheets"),
    ("OpenDocument", ".odt, .ods, .odp", "headings, lists, tables, title, author, dates"),
    ("Rich text, e-books", ".rtf, .epub", "headings, chapters, title, author"),
    ("E-mail", ".eml", "subject, sender, date, forwarded messages"),
    ("Data", ".json, .jsonl, .ipynb", "each value with its path; cells of notebooks"),
    ("Source code", ".py, .js, .sql and others", "functions and classes as headings"),
]
WORD_SECTIONS: list[Section] = [
    (
        "Supported formats",
        [
            "The supported file formats are PDF, Word, PowerPoint, Excel, CSV, OpenDocument, rich "
            "text, EPUB, HTML, Markdown, plain text, e-mail, JSON, notebooks and source code.",
            "The platform tells the format of a file by its content first and by its name second.",
            "TABLE",
            "Pictures in a document are not read. Pages that were only scanned are recognised "
            "where the program tesseract is installed.",
        ],
    ),
    (
        "Why a document is quarantined",
        [
            "A document is quarantined when it cannot be read. The reason stands beside the "
            "document on the page Documents, in the output of rag documents and in Dagster. A "
            "quarantined document is never cited, and it does not stop the other documents.",
            "These are the reasons for a quarantine:",
            "- The file is empty or has no text.",
            "- The file is of a type that is not supported.",
            "- The file is encrypted with a password.",
            "- The PDF holds only scanned pages and tesseract is not installed, or its letters "
            "cannot be decoded.",
            "- The file is damaged: it is incomplete, or its content does not fit its name.",
            "- The file is larger than 200 MB, or takes too long or too much memory to read.",
        ],
    ),
    (
        "Repairing a quarantined document",
        [
            "To repair a quarantined document, correct the file and replace it in the bucket; it "
            "is then read again by itself.",
            "- A file with a password can be read once it is saved without the password.",
            "- A scanned PDF is read at the next start after the program tesseract was installed.",
            "- An old Word file (.doc) can be read once it is saved as .docx.",
        ],
    ),
    (
        "Limits",
        [
            "A document in the bucket may have 200 MB, and an upload through the page 50 MB. "
            "Reading one document may take 60 seconds and 2048 MB of memory. Each document is read "
            "in a separate process, so that a damaged file can harm nothing but itself.",
        ],
    ),
]

PDF_TITLE = "Operations guide"
PDF_PAGES: list[list[Section]] = [
    [
        (
            "Starting",
            [
                "To start the platform, run make up in the project's folder. The first start "
                "installs what is needed, which takes some minutes; later starts take seconds.",
                "To stop the platform, press Ctrl-C in the terminal where it runs, or send SIGTERM "
                "to its process. No process is left behind.",
                "To see whether everything works, run rag status: it shows the health of every "
                "component, the number of documents in each state, and the model that serves.",
            ],
        ),
        (
            "Ports",
            [
                "The platform uses four ports, all on 127.0.0.1: the chat service 8000, Dagster "
                "3000, MLflow 5000 and Chroma 8001.",
                "To change a port, set RAG_CHAT_PORT, RAG_DAGSTER_PORT, RAG_MLFLOW_PORT or "
                "RAG_CHROMA_PORT before the start.",
                "The platform has no login and no password. Whoever reaches a port may read, "
                "upload and delete, so the ports listen on this machine only.",
            ],
        ),
    ],
    [
        (
            "Settings",
            [
                "Every setting is an environment variable that begins with RAG_, and is read at "
                "the start. A wrong value stops the start with a sentence that names the variable.",
                "RAG_HOME is the folder of everything that the platform writes, .rag by default.",
                "RAG_BUCKET is the watched bucket: a folder, or a URL such as s3://name/prefix.",
                "RAG_THREADS is the number of processor threads for embedding, 2 by default.",
                "RAG_LEDGER_URL is the database of the ledger: SQLite under RAG_HOME by default, "
                "or a PostgreSQL URL.",
                "RAG_CHAT_MAX_UPLOAD_MEGABYTES is the largest upload, 50 MB by default.",
                "RAG_INGESTION_MAX_DOCUMENT_MEGABYTES is the largest document that is read, 200 MB "
                "by default.",
                "RAG_OLLAMA_MODEL is the language model that Ollama is asked for, llama3.2 by "
                "default.",
            ],
        ),
    ],
    [
        (
            "Data",
            [
                "The data is stored in the folder RAG_HOME: the ledger in ledger.db, texts and "
                "vectors in objects, the index in chroma, runs in dagster, models in mlflow and "
                "models, and logs in logs. The documents themselves stay in the bucket.",
            ],
        ),
        (
            "Backup",
            [
                "To back up the platform, stop it and copy two folders: RAG_HOME and the bucket.",
                "The folder chroma may be left out of a backup: the index is filled again from the "
                "stored vectors. The ledger must not be left out, since answers and ratings are "
                "nowhere else.",
                "To restore a backup, copy both folders back and start the platform.",
            ],
        ),
        (
            "Reset",
            [
                "To start over from scratch, stop the platform and delete the folder RAG_HOME. All "
                "answers and ratings are lost then; the documents in the bucket stay, and the "
                "next start reads them again.",
            ],
        ),
    ],
]


def word() -> bytes:
    """The Word file: headings, paragraphs, lists and a table."""
    document = docx.Document()
    properties = document.core_properties
    properties.title, properties.author = WORD_TITLE, AUTHOR
    properties.comments = ""
    properties.created = properties.modified = WRITTEN
    document.add_heading(WORD_TITLE, 0)
    for heading, paragraphs in WORD_SECTIONS:
        document.add_heading(heading, 1)
        for paragraph in paragraphs:
            if paragraph == "TABLE":
                table = document.add_table(0, 3, style="Table Grid")
                for row in FORMATS:
                    for cell, text in zip(table.add_row().cells, row, strict=True):
                        cell.text = text
            elif paragraph.startswith("- "):
                document.add_paragraph(paragraph[2:], style="List Bullet")
            else:
                document.add_paragraph(paragraph)
    written = io.BytesIO()
    document.save(written)
    return _with_fixed_times(written)


def _with_fixed_times(archive: io.BytesIO) -> bytes:
    """The same zip, its members dated alike."""
    fixed = io.BytesIO()
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(fixed, "w") as target:
        for name in source.namelist():
            member = zipfile.ZipInfo(name, WRITTEN.timetuple()[:6])
            member.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(member, source.read(name))
    return fixed.getvalue()


def pdf() -> bytes:
    """The PDF: A4 pages in Helvetica, a bookmark for each section, title and author."""
    date = WRITTEN.strftime("D:%Y%m%d%H%M%SZ")
    outline, first_page = 6, 7
    pages = [first_page + 2 * number for number in range(len(PDF_PAGES))]
    marks = [
        (heading, page)
        for page, sections in zip(pages, PDF_PAGES, strict=True)
        for heading, _ in sections
    ]
    first_mark = pages[-1] + 2
    last_mark = first_mark + len(marks) - 1
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R /Outlines {outline} 0 R /Lang (en) >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{' '.join(f'{p} 0 R' for p in pages)}] >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
        f"<< /Title ({PDF_TITLE}) /Author ({AUTHOR}) /CreationDate ({date}) /ModDate ({date}) >>",
        f"<< /Type /Outlines /First {first_mark} 0 R /Last {last_mark} 0 R /Count {len(marks)} >>",
    ]
    for number, page in enumerate(pages):
        content = _page(number)
        objects += [
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
            f"/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> /Contents {page + 1} 0 R >>",
            f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        ]
    for number, (heading, page) in enumerate(marks, first_mark):
        before = f" /Prev {number - 1} 0 R" if number > first_mark else ""
        after = f" /Next {number + 1} 0 R" if number < last_mark else ""
        objects.append(
            f"<< /Title ({heading}) /Parent {outline} 0 R{before}{after} "
            f"/Dest [{page} 0 R /XYZ null null null] >>"
        )
    return _assembled(objects)


def _page(number: int) -> str:
    """The drawing of a page: one line of text after the other, from the top left."""
    lines = ["BT", "72 770 Td"]

    def draw(text: str, font: str, size: int, above: int) -> None:
        escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        lines.append(f"0 {-above} Td /{font} {size} Tf ({escaped}) Tj")

    if number == 0:
        draw(PDF_TITLE, "F2", 20, 0)
    for heading, paragraphs in PDF_PAGES[number]:
        # The full stop parts a heading from its section: the text of a PDF has no other mark.
        draw(f"{heading}.", "F2", 14, 36)
        for paragraph in paragraphs:
            wrapped = textwrap.wrap(paragraph, 80, break_on_hyphens=False)
            for n, line in enumerate(wrapped):
                draw(line, "F1", 11, 16 if n else 24)
    return "\n".join([*lines, "ET"])


def _assembled(objects: list[str]) -> bytes:
    """The objects, numbered from 1, with the table of their places that ends a PDF."""
    data = b"%PDF-1.4\n"
    places: list[int] = []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode("cp1252")
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    return data + (
        f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n"
        f"<< /Size {size} /Root 1 0 R /Info 5 0 R >>\nstartxref\n{len(data)}\n%%EOF\n"
    ).encode("ascii")


def main() -> None:
    """Write both files."""
    for key, data in ((WORD, word()), (PDF, pdf())):
        target = DOCUMENTS / key
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


if __name__ == "__main__":
    main()
