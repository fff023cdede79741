"""Datasets: what is asked, of which documents, and where the answers stand. One file a format."""

from pathlib import Path

from rag_platform.errors import InvalidRequest
from rag_platform.evaluation.datasets import beir, spans, validation
from rag_platform.evaluation.datasets.dataset import Dataset, Document, Question, Span

__all__ = ["Dataset", "Document", "Question", "Span", "open_dataset"]


def open_dataset(path: Path, split: str = "") -> Dataset:
    """The dataset in a folder (BEIR or spans), or a file of questions to the live collections.

    All of it is read and checked. Raises :class:`InvalidRequest` with the file, the line and what
    to do where something is wrong.
    """
    path = path.expanduser()
    try:
        if path.is_dir() and (path / beir.CORPUS).is_file():
            return beir.read(path, split)
        if split:
            raise InvalidRequest(
                f"{path} has no splits: only a dataset in the BEIR format does.",
                "Leave --split out; --half 1 takes half of the questions of any dataset.",
            )
        if path.is_dir() and (path / spans.QUESTIONS).is_file():
            return spans.read(path)
        if path.is_file():
            return validation.read(path.read_bytes(), str(path))
    except OSError as error:
        raise InvalidRequest(
            f"{error.filename or path} cannot be read: {error.strerror}.",
            "Check its place and its permissions.",
        ) from error
    if not path.exists():
        raise InvalidRequest(f"There is nothing at {path}.", "Give the folder of a dataset.")
    raise InvalidRequest(
        f"{path} holds no dataset.",
        f"Give a folder with {beir.CORPUS}, queries.jsonl and qrels/ (BEIR), a folder with "
        f"corpus/ and {spans.QUESTIONS}, or a file like validation.jsonl.",
    )
