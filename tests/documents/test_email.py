"""E-mail."""

from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from rag_platform.documents.parsing import media_type_of, parse
from rag_platform.errors import UnreadableDocument


def mail(text: str = "Hello.\n\nThe ducks swim.", **headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in {
        "From": "Ada Löve <ada@pond.example>",
        "Subject": "Ducks",
        **headers,
    }.items():
        message[name] = value
    message.set_content(text)
    return message


def test_an_email_is_its_headers_and_its_text() -> None:
    message = mail(
        To="bob@pond.example", Date="Sat, 03 Feb 2024 04:05:06 +0000", Subject="Über Enten"
    )
    document = parse(message.as_bytes(), "a.eml")
    assert document.text == (
        "From: Ada Löve <ada@pond.example>\nTo: bob@pond.example\n"
        "Date: Sat, 03 Feb 2024 04:05:06 +0000\nSubject: Über Enten\n\nHello.\n\nThe ducks swim."
    )
    assert (document.title, document.author) == ("Über Enten", "Ada Löve")
    assert document.created == datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert document.notes == ()


def test_plain_text_is_preferred_to_the_same_in_html() -> None:
    message = mail("As text.")
    message.add_alternative("<html><h1>As a page</h1>", subtype="html")
    assert parse(message.as_bytes(), "a.eml").text.endswith("\n\nAs text.")


def test_html_is_read_where_there_is_no_other_text() -> None:
    message = mail(" ")
    message.add_alternative(
        "<html><h2>Food</h2><p>Größe<p style='display:none'>hidden words", subtype="html"
    )
    document = parse(message.as_bytes(), "a.eml")
    assert document.text.endswith("\n\n## Food\n\nGröße")
    assert document.text[document.headings[0].start :].startswith("## Food")
    assert document.notes == ("Hidden text was left out.",)


def test_attachments_that_could_be_read_are_named() -> None:
    message = mail()
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="plan.pdf")
    message.add_attachment("words", filename="Größe.txt")
    message.add_attachment(b"\x89PNG\r\n\x1a\n", maintype="image", subtype="png", filename="a.png")
    document = parse(message.as_bytes(), "a.eml")
    assert document.text.endswith("The ducks swim.")
    assert document.notes == (
        "Attachments were not read: plan.pdf, Größe.txt. "
        "Drop them as files of their own to find what they say.",
    )


def forwarding(depth: int) -> EmailMessage:
    message = mail(f"Level {depth}.", Subject=f"Mail {depth}")
    if depth:
        message.add_attachment(forwarding(depth - 1))
    return message


def test_forwarded_messages_are_read_to_some_depth() -> None:
    document = parse(forwarding(2).as_bytes(), "a.eml")
    assert [heading.title for heading in document.headings] == [
        "Forwarded message: Mail 1",
        "Forwarded message: Mail 0",
    ]
    assert "Level 2." in document.text
    assert "Level 0." in document.text
    deep = parse(forwarding(9).as_bytes(), "a.eml")
    assert "Level 4." in deep.text
    assert "Level 2." not in deep.text
    assert deep.notes == ("What it forwards was read to a depth of 5 only.",)


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        (b"Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\n\nx", "Größe"),
        (b"Subject: =?koi8-r?B?9NXUIMTPy9XNxc7U?=\n\nx", "Тут документ"),
        (b"Subject: Gr\xc3\xb6\xc3\x9fe\n\nx", "Größe"),
        (b"Subject: =?no-such?q?abc?=\n\nx", "abc"),
        (b"Subject: =?utf-8?b?!!!?=\n\nx", None),
        (b"Subject: a\n  b\n\nx", "a b"),
        (b"Date: no date\n\nx", None),
    ],
)
def test_headers_in_any_state_are_read(raw: bytes, title: str | None) -> None:
    document = parse(b"From: a@b\n" + raw, "a.eml")
    assert document.title == title
    document.to_json()


def test_an_email_without_a_name_is_known_by_its_headers() -> None:
    raw = b"Return-Path: <a@b>\nReceived: from x\n\tby y\nSubject: z\n\nwords"
    assert media_type_of("message", raw) == "message/rfc822"
    assert media_type_of("message", b"From: here\nwe go") == "text/plain"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: " + b"x" * 10_000_000,
        b"Subject: " + b"=?utf-8?q?x?= " * 500_000,
        b"Content-Type: text/plain; " + b'a=";' * 2_000_000,
        b"To: " + b"a@b,\n " * 1_000_000,
        b"X: y\n" * 500_000,
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 10_000 + b"--b--",
        b"Content-Type: multipart/mixed; boundary=b\n\n"
        + b"--b\nContent-Type: multipart/mixed; boundary=b\n\n" * 10_000,
        b"".join(
            b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(3000)
        ),
        b"Content-Type: message/rfc822\n\n" * 10_000,
        b"Content-Transfer-Encoding: base64\n\n" + b"A" * 5_000_000,
        b"Content-Type: text/html; charset=\xff\xfe\n\n" + b"<div>" * 10_000,
        b"\x00\x01\x02",
        b"\n\n\n",
    ],
)  # fmt: skip
def test_hostile_mail_is_read_or_refused_in_a_sentence(raw: bytes) -> None:
    try:
        parse(b"From: a@b\n" + raw + b"\n\nwords", "a.eml").to_json()
    except UnreadableDocument as unreadable:
        assert str(unreadable).endswith(".")
