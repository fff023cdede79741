"""The encoder gives the vectors of sentence-transformers, whatever stands beside a text."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

from rag_platform.embedding.encoder import Encoder
from rag_platform.embedding.files import ModelFiles, verified_package
from rag_platform.embedding.header import header_of

TEXTS = [
    "What is the refund policy?",
    "",
    " ",
    "a",
    "Größenwahn & Übermut – 100 % Räte",
    "日本語の文章もあります。休暇は三十日です。",
    "🙂👶🏽 emoji, ﬁ ligatures, e\u0301 combining, \u202eright to left",
    "SELECT * FROM x; -- \t\n\r\\",
    "word " * 250,
    *(f"Sentence number {n} about parental leave." for n in range(20)),
]


@pytest.fixture(scope="module")
def encoder(model_folder) -> Encoder:
    return Encoder(ModelFiles(model_folder, "embedder", "1"), threads=2)


def test_vectors_are_those_of_sentence_transformers(encoder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own
        from sentence_transformers import SentenceTransformer

        original = SentenceTransformer(str(verified_package()), device="cpu")
        expected = original.encode(TEXTS, normalize_embeddings=True)
    assert np.abs(encoder.encode_documents(TEXTS) - expected).max() <= 1e-5


def test_the_fast_encoder_is_close_to_the_exact_one(encoder, model_folder):
    fast = Encoder(ModelFiles(model_folder, "embedder", "1", "int8"), threads=2)
    exact, near = encoder.encode_documents(TEXTS), fast.encode_documents(TEXTS)
    assert (exact * near).sum(axis=1).min() > 0.95
    assert np.abs(exact - near).max() > 1e-4


def test_vectors_do_not_depend_on_the_batch_or_the_order(encoder):
    together = encoder.encode_documents(TEXTS)
    backwards = encoder.encode_documents(TEXTS[::-1])[::-1]
    alone = np.stack([encoder.encode_documents([text])[0] for text in TEXTS])
    assert np.abs(together - backwards).max() <= 1e-6
    assert np.abs(together - alone).max() <= 1e-6


def test_vectors_do_not_depend_on_how_much_is_encoded_at_once(encoder, model_folder):
    files = ModelFiles(model_folder, "embedder", "1")
    together = encoder.encode_documents(TEXTS)
    for threads, tokens in ((1, 1), (4, 64), (2, 100_000)):
        other = Encoder(files, threads=threads, batch_tokens=tokens)
        assert np.abs(together - other.encode_documents(TEXTS)).max() <= 1e-6


def test_vectors_have_unit_length(encoder):
    lengths = np.linalg.norm(encoder.encode_documents(TEXTS), axis=1)
    assert np.allclose(lengths, 1.0, atol=1e-5)


def test_a_question_and_an_equal_text_share_their_vector(encoder):
    text = "How long is parental leave?"
    assert np.abs(encoder.encode_query(text) - encoder.encode_documents([text])[0]).max() <= 1e-6


def test_no_texts_give_no_vectors(encoder):
    assert encoder.encode_documents([]).shape == (0, 384)


def test_a_document_that_does_not_fit_is_an_error(encoder):
    assert encoder.encode_documents(["word " * 254]).shape == (1, 384)
    with pytest.raises(ValueError, match="257 tokens exceed 256"):
        encoder.encode_documents(["short", "word " * 255])


def test_a_question_that_does_not_fit_is_cut_at_its_end(encoder):
    long = encoder.encode_query("word " * 10_000)
    assert np.abs(long - encoder.encode_query("word " * 254)).max() <= 1e-6


def test_tokens_are_counted_with_the_special_ones(encoder):
    assert encoder.count_tokens("") == 2
    assert encoder.count_tokens("word " * 10) == 12


def test_a_header_says_each_part_once_on_one_line():
    assert header_of("title-and-headings-v1", "The\nLeave ", ["The Leave", "Holidays"]) == (
        "The Leave > Holidays"
    )
    assert header_of("title-and-headings-v1", None, []) == ""
    assert header_of("none", "Leave", ["Holidays"]) == ""


def test_an_unknown_header_is_an_error():
    with pytest.raises(ValueError, match="unknown header"):
        header_of("other", "Leave", [])


def test_the_runtime_keeps_no_events_in_the_users_home(model_folder, tmp_path):
    code = (
        "import sys; from pathlib import Path\n"
        "from rag_platform.embedding.encoder import Encoder\n"
        "from rag_platform.embedding.files import ModelFiles\n"
        "Encoder(ModelFiles(Path(sys.argv[1]), 'embedder', '1'), threads=1).encode_query('a')"
    )
    environment = {name: v for name, v in os.environ.items() if not name.startswith("ORT_")}
    subprocess.run(
        [sys.executable, "-c", code, str(model_folder)],
        env={**environment, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / ".cache")},
        check=True,
        timeout=60,
    )
    assert not list(tmp_path.rglob("*onnxruntime*"))
