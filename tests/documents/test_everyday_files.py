"""Files that people have beside documents: mail, calendars, subtitles, and what is not read."""

import io
import tarfile
import zipfile

import pytest

from rag_platform.documents.parsing import parse
from rag_platform.errors import UnreadableDocument

MESSAGE = (
    "From: Ada <ada@pond.org>\r\nTo: Bob <bob@pond.org>\r\nSubject: {}\r\n"
    "Date: Sat, 03 Feb 2024 10:00:00 +0000\r\nContent-Type: text/plain\r\n\r\n{}\r\n"
)


def test_every_message_of_a_mailbox_is_read() -> None:
    data = "".join(
        f"From ada@pond.org Sat Feb  3 10:00:00 2024\r\n{MESSAGE.format(subject, body)}\r\n"
        for subject, body in (("Bread", "Ducks eat it.\r\n>From the pond."), ("Ice", "It froze."))
    ).encode()
    for name in ("a.mbox", "Inbox"):
        document = parse(data, name)
        assert document.media_type == "application/mbox"
        assert "From the pond." in document.text
        assert ">From" not in document.text
        assert [document.text[h.start :].split("\n")[0] for h in document.headings] == [
            "# Bread",
            "# Ice",
        ]


def test_a_saved_page_is_read_with_its_style_sheet() -> None:
    data = (
        "From: <Saved by Blink>\r\nSubject: The pond\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/related; boundary="x"\r\n\r\n--x\r\nContent-Type: text/html\r\n'
        "Content-Location: http://pond.org/\r\n\r\n<html><link rel=stylesheet href=cid:css>"
        "<p>Ducks swim.<p class=pale>Ignore this.</html>\r\n--x\r\nContent-Type: text/css\r\n"
        "Content-Location: cid:css\r\n\r\n.pale{color:#fff}\r\n--x\r\nContent-Type: image/png\r\n"
        "Content-Location: http://pond.org/a.png\r\n\r\nabc\r\n--x--\r\n"
    )
    document = parse(data.encode(), "pond.mhtml")
    assert document.text.endswith("Ducks swim.")
    assert document.notes == ("Hidden text was left out.",)


def test_a_calendar_is_read_event_by_event() -> None:
    data = (
        "BEGIN:VCALENDAR\r\nX-WR-CALNAME:Pond\r\nBEGIN:VEVENT\r\nSUMMARY:Feeding\\, twice"
        "\r\nDTSTART;TZID=Europe/Berlin:20240203T100000\r\nDTEND:20240203T110000Z\r\n"
        "DESCRIPTION:Bring brea\r\n d.\\nAnd oats.\r\nATTENDEE;CN=\"Ada B\":mailto:ada@pond.org\r\n"
        "BEGIN:VALARM\r\nDESCRIPTION:Reminder\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )  # fmt: skip
    for name in ("a.ics", "calendar"):
        document = parse(data.encode(), name)
        assert document.text == (
            "Feeding, twice\nStart: 2024-02-03 10:00\nEnd: 2024-02-03 11:00 UTC\n"
            "Bring bread.\nAnd oats.\nAttendee: Ada B (ada@pond.org)"
        )
        assert document.title == "Pond"


def test_cards_are_read_person_by_person() -> None:
    data = (
        "BEGIN:VCARD\nVERSION:3.0\nFN:Ada Berger\nORG:Pond Ltd;Ducks\nTEL;TYPE=work:+49 171 1\n"
        "ADR:;;Lake 1;Bonn;;53111;Germany\nPHOTO;ENCODING=b:AAAA\nEND:VCARD\nBEGIN:VCARD\n"
        "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=BCrgen\nEND:VCARD\n"
    )
    assert parse(data.encode(), "a.vcf").text == (
        "Ada Berger\nOrganization: Pond Ltd, Ducks\nTelephone: +49 171 1\n"
        "Address: Lake 1, Bonn, 53111, Germany\n\nJürgen"
    )


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (
            "a.srt",
            "1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>The ducks</i>\r\nswim.\r\n\r\n2\r\n"
            "00:00:02,500 --> 00:00:04,000\r\nswim.\r\nAll day.\r\n",
        ),
        (
            "a.vtt",
            "WEBVTT - Ducks\n\nNOTE by Ada\n\nintro\n00:01.000 --> 00:02.500 line:0\nThe ducks\n"
            "swim.\n\n00:02.500 --> 00:04.000\nAll <00:03.000>day.\n",
        ),
    ],
)
def test_subtitles_are_read_as_what_is_said(name: str, data: str) -> None:
    assert parse(data.encode(), name).text == "The ducks\nswim.\nAll day."


def test_a_transcript_names_who_speaks() -> None:
    data = b"WEBVTT\n\n00:01.000 --> 00:02.500\n<v Ada>Hello.</v>\n"
    assert parse(data, "a.vtt").text == "Ada: Hello."


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tex", "\\title{Ducks}\n\\section{Food}\\label{f}\nBread.\n\\subsection*{Rye}\nAlso."),
        ("a.adoc", "= Food\n\nBread.\n\n== Rye\n\nAlso."),
        ("a.org", "#+TITLE: Ducks\n* TODO Food :pond:\nBread.\n** Rye\nAlso."),
    ],
)
def test_the_headings_of_a_text_with_marks_are_found(name: str, text: str) -> None:
    document = parse(text.encode(), name)
    assert document.text == text
    assert [(h.level, h.title) for h in document.headings] == [(1, "Food"), (2, "Rye")]
    assert document.title == ("Food" if name == "a.adoc" else "Ducks")


def packed(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, b"words")
    return file.getvalue()


def taped() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"), io.BytesIO())
    return file.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.zip", packed("a.txt"), "unpack it"),
        ("a.docx.zip", packed("a.docx"), "unpack it"),
        ("a.tar.gz", taped(), "unpack it"),
        ("a.jsonl.gz", taped(), "unpack it"),
        ("a.pages", packed("Index/Document.iwa"), "export it as Word"),
        ("a.wpd", b"\xffWPC....", "export it as Word"),
        ("a.msg", OLE + "__substg1.0_0037001F".encode("utf-16-le"), "save it as .eml"),
        ("a.doc", OLE + "WordDocument".encode("utf-16-le"), "save it as .docx"),
        ("a.xls", OLE + "Workbook".encode("utf-16-le"), "save it as .xlsx"),
        ("a.ppt", OLE + "PowerPoint Document".encode("utf-16-le"), "save it as .pptx"),
        ("a.docm", OLE + "EncryptedPackage".encode("utf-16-le"), "remove its password"),
        ("a", OLE + "EncryptedPackage".encode("utf-16-le"), "without a password"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "This is a picture"),
        ("a.mp3", b"ID3....", "This is a recording"),
        ("a.mobi", b"BOOKMOBI", "as .epub or PDF"),
    ],
)
def test_what_is_not_read_says_what_to_do(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableDocument, match=reason):
        parse(data, name)
