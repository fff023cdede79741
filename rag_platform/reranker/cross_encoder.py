"""The cross-encoder: question and passage to one score, by an exported ONNX file."""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from cachetools import LRUCache
from tokenizers import Encoding, Tokenizer

from rag_platform.embedding.session import load_session
from rag_platform.errors import ModelUnavailable
from rag_platform.reranker.files import EXPORTED_AGAIN, RerankerFiles

Scores = npt.NDArray[np.float32]

_PAIRS = 2000
"""Pairs whose scores are kept: a question asked again goes on where its time ran out."""


class CrossEncoder:
    """An exported cross-encoder, loaded for the CPU. One instance serves many threads.

    ``threads`` batches are scored at once, each on one of them, whoever asks; a batch holds at
    most ``batch_tokens`` tokens, padding included, or one pair.
    """

    def __init__(self, files: RerankerFiles, *, threads: int, batch_tokens: int = 384) -> None:
        """Load the model. Raises :class:`ModelUnavailable`."""
        description = files.describe()
        self.max_tokens: int = description["max_tokens"]
        self.threads = threads
        self.batch_tokens = batch_tokens
        self._prompt: str = description["prompt"]
        self._pad_id: int = description["pad_id"]
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(files.path / "tokenizer.json"))
        # Like the original: of question and passage the longer one loses its end.
        self._tokenizer.enable_truncation(self.max_tokens)
        self._tokenizer.no_padding()
        self._session = load_session(files.onnx, threads=1, remedy=EXPORTED_AGAIN)
        self._inputs = {item.name for item in self._session.get_inputs()}
        self._known: LRUCache[tuple[str, str], float] = LRUCache(_PAIRS)
        self._knowing = threading.Lock()
        self._workers: ThreadPoolExecutor | None = None

    def scores(
        self, question: str, passages: Sequence[str], seconds: float | None = None
    ) -> list[float | None]:
        """How well each passage answers the question; more is better, the scale is the model's.

        The passages are read in their order; None stands for those that were not reached within
        ``seconds``. What is under way then is broken off.
        """
        deadline = None if seconds is None else time.perf_counter() + seconds
        with self._knowing:
            found = [self._known.get((question, passage)) for passage in passages]
        rows = [row for row, score in enumerate(found) if score is None]
        run: Any = onnxruntime.RunOptions()
        under_way = {
            self._submit(list(batch.values()), run): list(batch)
            for batch in self._batches(question, passages, rows, deadline)
        }
        done, late = wait(under_way, timeout=_left(deadline))
        for future in late:
            future.cancel()
        run.terminate = bool(late)
        for future in done:
            for row, score in zip(under_way[future], _result(future), strict=True):
                found[row] = score
        with self._knowing:
            for row in rows:
                if (score := found[row]) is not None:
                    self._known[question, passages[row]] = score
        return found

    def _submit(self, batch: list[Encoding], run: Any) -> "Future[list[float]]":
        # Made when it is first needed: threads don't survive a fork.
        with self._knowing:
            if self._workers is None:
                self._workers = ThreadPoolExecutor(self.threads, thread_name_prefix="reranker")
        return self._workers.submit(self._run, batch, run)

    def _batches(
        self, question: str, passages: Sequence[str], rows: Iterable[int], deadline: float | None
    ) -> Iterator[dict[int, Encoding]]:
        """What to score together, in the order of the passages: the best are not to wait.

        One passage after the other is split into tokens, so that the first are scored meanwhile.
        """
        batch: dict[int, Encoding] = {}
        width = 0
        for row in rows:
            if _left(deadline) == 0:
                return
            encoding: Encoding = self._tokenizer.encode(self._prompt + question, passages[row])
            width = max(width, len(encoding.ids))
            if batch and width * (len(batch) + 1) > self.batch_tokens:
                yield batch
                batch, width = {}, len(encoding.ids)
            batch[row] = encoding
        if batch:
            yield batch

    def _run(self, batch: list[Encoding], run: Any) -> list[float]:
        shape = (len(batch), max(len(encoding.ids) for encoding in batch))
        feed = {
            "input_ids": np.full(shape, self._pad_id, dtype=np.int64),
            "attention_mask": np.zeros(shape, dtype=np.int64),
            "token_type_ids": np.zeros(shape, dtype=np.int64),
        }
        for row, encoding in enumerate(batch):
            here = slice(len(encoding.ids))
            feed["input_ids"][row, here] = encoding.ids
            feed["attention_mask"][row, here] = 1
            feed["token_type_ids"][row, here] = encoding.type_ids
        used = {name: array for name, array in feed.items() if name in self._inputs}
        scores: Scores = self._session.run(["score"], used, run)[0]
        return scores.tolist()


def _left(deadline: float | None) -> float | None:
    """The seconds until then; None where there is no end."""
    return None if deadline is None else max(deadline - time.perf_counter(), 0.0)


def _result(future: "Future[list[float]]") -> list[float]:
    try:
        return future.result()
    except Exception as error:  # the runtime raises bare C++ exceptions
        raise ModelUnavailable("The reranker failed.", EXPORTED_AGAIN) from error
