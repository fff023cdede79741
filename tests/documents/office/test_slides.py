"""Presentations: slides are pages, with titles, tables and speaker notes."""

from collections.abc import Callable

from rag_platform.documents.parsing import parse

Makers = dict[str, Callable[..., dict[str, str]]]
Pack = Callable[[dict[str, str | bytes]], bytes]


def test_a_slide_is_a_page_with_its_title_as_heading(make: Makers, pack: Pack) -> None:
    shape = make["shape"]
    slides = (
        f"{shape('bread', 'weeds', kind='body')}{shape('Food', kind='title')}"
        f"{shape('12', kind='sldNum')}",
        str(shape("no title here")),
    )
    document = parse(pack(make["pptx"](*slides, notes="Say hello.")), "a.pptx")
    assert [document.text[page.start : page.end].strip() for page in document.pages] == [
        "# Food\n\n- bread\n- weeds\n\nNotes: Say hello.",
        "# Slide 2\n\nno title here",
    ]
    assert [page.number for page in document.pages] == [1, 2]
    assert document.page_count == 2
    assert [(heading.level, heading.title) for heading in document.headings] == [
        (1, "Food"),
        (1, "Slide 2"),
    ]


def test_groups_tables_and_lists_are_read_in_order(make: Makers, pack: Pack) -> None:
    cell = "<a:tc{}><a:txBody><a:p><a:r><a:t>{}</a:t></a:r></a:p></a:txBody></a:tc>"
    table = (
        "<p:graphicFrame><a:graphic><a:graphicData><a:tbl>"
        f"<a:tr>{cell.format('', 'Name')}{cell.format('', 'Size')}</a:tr>"
        f"<a:tr>{cell.format('', 'Mallard')}"
        f"{cell.format(' hMerge=' + chr(34) + '1' + chr(34), 'ghost')}</a:tr>"
        "</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
    )
    shape = make["shape"]
    group = f"<p:grpSp><p:grpSp>{shape('in a group')}</p:grpSp></p:grpSp>"
    hidden = str(shape("unseen")).replace("<p:cNvPr", '<p:cNvPr hidden="1"')
    slide = f"{group}{table}{shape('deeper', level=1)}{hidden}"
    assert parse(pack(make["pptx"](slide)), "a.pptx").text == (
        "# Slide 1\n\nin a group\n\n| Name | Size |\n| --- | --- |\n| Mallard |  |\n\n  - deeper"
    )


def test_a_hidden_slide_is_noted(make: Makers, pack: Pack) -> None:
    parts = make["pptx"]()
    name = "ppt/slides/slide1.xml"
    parts[name] = parts[name].replace("<p:sld ", '<p:sld show="0" ')
    document = parse(pack({**parts}), "a.pptx")
    assert document.notes == ("Slide 1 is hidden in the show; it was read.",)


def test_slides_of_an_open_document_are_pages_too(make: Makers, pack: Pack) -> None:
    frame = "<draw:frame presentation:class='{}'><draw:text-box>{}</draw:text-box></draw:frame>"
    items = "<text:list><text:list-item><text:p>bread</text:p></text:list-item></text:list>"
    slide = (
        f"<draw:page>{frame.format('title', '<text:p>Food</text:p>')}"
        f"{frame.format('outline', items)}<presentation:notes>"
        f"{frame.format('notes', '<text:p>Say hello.</text:p>')}</presentation:notes></draw:page>"
    )
    document = parse(pack(make["open_document"]("presentation", slide)), "a.odp")
    assert document.text == "# Food\n\n- bread\n\nNotes: Say hello."
    assert document.page_count == 1
