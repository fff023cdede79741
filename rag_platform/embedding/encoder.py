"""The encoder: texts to unit vectors, by the registered ONNX file of a model version."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from cachetools import LRUCache
from tokenizers import Tokenizer

from rag_platform.embedding.batches import Batches
from rag_platform.embedding.files import FETCHED_AGAIN, TOKENIZER, ModelFiles
from rag_platform.embedding.session import load_session
from rag_platform.errors import ModelUnavailable

Vectors = npt.NDArray[np.float32]
"""Unit vectors as rows: shape (texts, dimension)."""


_NO_LENGTH = 1e-12

_QUESTIONS = 1000
"""Questions whose vectors are kept: people ask again, and a page asks for more passages."""


class Encoder:
    """A model version, loaded for encoding on the CPU.

    ``threads`` batches are encoded at once, each of at most ``batch_tokens`` tokens (a longer
    text alone). ``threads`` is explicit: the runtime would take the host's core count, which a
    container does not have. Vectors have unit length, so that the inner product is the cosine.

    With ``one_session`` documents are encoded in the session of the questions, a batch after the
    other: somewhat slower, without a second copy of the weights in memory.
    """

    def __init__(
        self,
        files: ModelFiles,
        *,
        threads: int,
        batch_tokens: int = 384,
        one_session: bool = False,
    ) -> None:
        self.files = files
        description = files.describe()
        self.dimension: int = description["dimension"]
        self.max_tokens: int = description["max_tokens"]
        self.query_prefix: str = description["query_prefix"]
        self.document_prefix: str = description["document_prefix"]
        self.threads = threads
        self.batch_tokens = batch_tokens
        self.one_session = one_session
        self.tokenizer: Tokenizer = load_tokenizer(files)
        self._sessions: dict[int, Any] = {}
        self._loading = threading.Lock()
        self._known: LRUCache[str, Vectors] = LRUCache(_QUESTIONS)
        self._knowing = threading.Lock()
        # A short text is bound by reading the weights, which threads do faster together.
        self._questions = Batches(lambda batch: self._run(batch, threads=self.threads))

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """The vectors of ``texts``, in their order: shape (len(texts), dimension).

        Raises ValueError for a text longer than the model reads: a truncated chunk would lose
        its tail without a trace, so chunks are made to fit.
        """
        ids = self._token_ids([self.document_prefix + text for text in texts])
        for text, tokens in zip(texts, ids, strict=True):
            if len(tokens) > self.max_tokens:
                raise ValueError(f"{len(tokens)} tokens exceed {self.max_tokens}: {text[:60]!r}…")
        return self._encode(ids)

    def encode_query(self, text: str) -> Vectors:
        """The vector of a question: shape (dimension,). A question too long is cut at its end."""
        with self._knowing:
            known = self._known.get(text)
        if known is None:
            known = self._encode_query(text)
            with self._knowing:
                self._known[text] = known
        return known

    def _encode_query(self, text: str) -> Vectors:
        ids = self.tokenizer.encode(self.query_prefix + text).ids
        if len(ids) > self.max_tokens:
            # Cut before the special tokens come to it, of which models have none, one or two.
            cut = self.tokenizer.encode(self.query_prefix + text, add_special_tokens=False)
            cut.truncate(self.max_tokens - self.tokenizer.num_special_tokens_to_add(False))
            ids = self.tokenizer.post_process(cut).ids
        return self._questions(ids)

    def count_tokens(self, text: str) -> int:
        """How many tokens the model reads for ``text`` as a document, special tokens included."""
        return len(self._token_ids([self.document_prefix + text])[0])

    def _token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self.tokenizer.encode_batch_fast(list(texts))]

    def _encode(self, ids: list[list[int]]) -> Vectors:
        vectors = np.zeros((len(ids), self.dimension), dtype=np.float32)

        # One thread a batch and as many batches as threads: threads inside a batch would wait
        # for each other at every operator.
        def encode(rows: list[int]) -> None:
            threads = self.threads if self.one_session else 1
            vectors[rows] = self._run([ids[row] for row in rows], threads=threads)

        batches = list(self._batches(ids))
        if len(batches) == 1 or self.one_session:
            for batch in batches:
                encode(batch)
        elif batches:
            # Threads don't survive a fork, so no pool outlives a call.
            with ThreadPoolExecutor(min(self.threads, len(batches))) as pool:
                for _ in pool.map(encode, batches):
                    pass  # an error in a thread is raised here
        return vectors

    def _batches(self, ids: list[list[int]]) -> Iterator[list[int]]:
        """Rows to encode together: sorted by length they need next to no padding, and the
        longest go first, so that no thread is left with a long one at the end."""
        batch: list[int] = []
        for row in sorted(range(len(ids)), key=lambda row: -len(ids[row])):
            if batch and len(ids[batch[0]]) * (len(batch) + 1) > self.batch_tokens:
                yield batch
                batch = []
            batch.append(row)
        if batch:
            yield batch

    def _run(self, batch: list[list[int]], *, threads: int) -> Vectors:
        session = self._session(threads)
        width = max(1, *(len(ids) for ids in batch))
        input_ids = np.zeros((len(batch), width), dtype=np.int64)
        mask = np.zeros_like(input_ids)
        for row, ids in enumerate(batch):
            input_ids[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        feed = {"input_ids": input_ids, "attention_mask": mask}
        if "token_type_ids" in {item.name for item in session.get_inputs()}:
            feed["token_type_ids"] = np.zeros_like(input_ids)
        vectors = cast(Vectors, session.run(["sentence_embedding"], feed)[0])
        vectors[mask.sum(axis=1) == 0] = 0.0
        if not np.isfinite(vectors).all():
            raise ModelUnavailable(
                f"The model {self.files.name} gives vectors that are no numbers.",
                "Set RAG_EMBEDDING_PRECISION=fp32, or choose another model.",
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        # A text without a token has no direction; any will do, as long as it is one.
        vectors[lengths[:, 0] < _NO_LENGTH, 0] = 1.0
        lengths[lengths < _NO_LENGTH] = 1.0
        return vectors / lengths

    def _session(self, threads: int) -> Any:
        # Ingestion only encodes documents and the service only questions: each loads one.
        with self._loading:
            if threads not in self._sessions:
                self._sessions[threads] = load_session(
                    self.files.onnx, threads=threads, remedy=FETCHED_AGAIN
                )
            return self._sessions[threads]


def load_tokenizer(files: ModelFiles) -> Tokenizer:
    """The model's own tokenizer, without truncation and padding."""
    tokenizer: Tokenizer = Tokenizer.from_file(str(files.path / TOKENIZER))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
