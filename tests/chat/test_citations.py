"""Which sentence a citation quotes."""

from rag_platform.chat.answering import _Writing
from rag_platform.ledger.passages import Chunk
from rag_platform.retrieval.passages import Passage
from rag_platform.retrieval.search import SearchResult
from rag_platform.retrieval.settings import RetrievalSettings


def passage(number: int, text: str) -> Passage:
    chunk = Chunk(f"{number:032x}", "0" * 32, "c", "c/a.md", "A", None, (), 0, len(text), text)
    return Passage(chunk, 1.0, 0.9, 1, 1)


def test_marks_that_follow_each_other_support_the_same_statement() -> None:
    writing = _Writing("When does the museum open?", "conversation")
    writing.found = SearchResult(
        (
            passage(1, "The cafe is red. The museum opens at nine."),
            passage(2, "Tickets are blue. At nine the museum opens its gate."),
        ),
        1,
        1,
        RetrievalSettings(),
        ("c",),
        1.0,
        {},
    )
    writing.text = "The museum opens at nine. [1][2]"
    writing.cite()
    assert [citation.quote for citation in writing.citations] == [
        "The museum opens at nine.",
        "At nine the museum opens its gate.",
    ]
