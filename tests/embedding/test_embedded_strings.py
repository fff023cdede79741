"""No chunk is ever truncated: what is embedded fits the model, header included."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_platform.documents.chunking import ChunkingSpec, split
from rag_platform.documents.parsed import ParsedDocument
from rag_platform.documents.parsing.tables import markdown_table
from rag_platform.embedding.encoder import Encoder
from rag_platform.embedding.files import ModelFiles
from rag_platform.embedding.header import header_of
from rag_platform.embedding.models import EMBEDDER
from rag_platform.embedding.stage import embedded_string

TEMPLATE = "title-and-headings-v1"


@pytest.fixture(scope="module")
def encoder(model_folder) -> Encoder:
    return Encoder(ModelFiles(model_folder, EMBEDDER, "1"), threads=1)


WORDS = st.sampled_from(
    ["word ", "日本語。", "😀", "e\u0301", "x" * 300, "\n\n", "1.5;", "| a | b |\n", "```\n", "Ω≠"]
)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(WORDS, max_size=200).map("".join),
    st.lists(WORDS, max_size=80).map("".join),
    st.lists(st.text(max_size=300), max_size=4),
    st.sampled_from([ChunkingSpec(), ChunkingSpec(254), ChunkingSpec(120, 60)]),
)
def test_whatever_is_embedded_fits_the_model(encoder, text, title, headings, spec):
    for passage in split(ParsedDocument(text=text), spec, encoder.tokenizer):
        string = embedded_string(encoder, header_of(TEMPLATE, title, headings), passage.text)
        assert encoder.count_tokens(string) <= encoder.max_tokens
        assert string.endswith(passage.text)


def test_a_piece_of_a_table_is_embedded_with_the_names_of_its_columns(encoder):
    rows = [["Product", "Price"], *([f"item {n}", f"{n} euros"] for n in range(100))]
    document = ParsedDocument(text=markdown_table(rows))
    last = split(document, ChunkingSpec(), encoder.tokenizer)[-1]
    header = header_of(TEMPLATE, "Prices", last.heading_path, last.table_columns)
    string = embedded_string(encoder, header, last.text)
    assert string.startswith("Prices > Product | Price\n\n| item")
