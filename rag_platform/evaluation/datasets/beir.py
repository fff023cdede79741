"""The BEIR format: ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/SPLIT.tsv``."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from rag_platform.documents.bucket.keys import is_ignored
from rag_platform.errors import InvalidRequest
from rag_platform.evaluation.datasets.dataset import Dataset, Document, Question
from rag_platform.evaluation.datasets.lines import Line, read_lines
from rag_platform.ledger.digests import digest

CORPUS = "corpus.jsonl"
_QUERIES = "queries.jsonl"
_QRELS = "qrels"
_DEFAULT_SPLIT = "test"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def read(folder: Path, split: str = "") -> Dataset:
    """One split of a dataset. Raises :class:`InvalidRequest` with file, line and remedy."""
    judged_in = _judgements_file(folder, split)
    names, empty = _document_names(folder / CORPUS)
    queries = _queries(folder / _QUERIES)
    grades = _grades(judged_in)
    unknown = next((query for query in grades if query not in queries), None)
    if unknown is not None:
        raise InvalidRequest(
            f"{judged_in} judges the query {unknown!r}, which {folder / _QUERIES} does not have.",
            "Add the query or remove its judgements.",
        )
    questions: list[Question] = []
    lost = 0
    for query, found in grades.items():
        line = queries[query]
        if not any(grade > 0 for grade in found.values()):
            continue
        lost += sum(document not in names for document in found)
        # A document that is not there counts as one that was not found, as trec_eval does.
        by_name = {names.get(item, f"?{item}"): grade for item, grade in found.items()}
        questions.append(Question(query, line.text("text"), line.place, grades=by_name))
    if not questions:
        raise InvalidRequest(
            f"{judged_in} names no relevant document of any query.", "Choose another split."
        )
    corpus = _sha256(folder / CORPUS)
    left = len(grades) - len(questions)
    return Dataset(
        name=folder.resolve().name,
        kind="beir",
        digest=digest(corpus, _sha256(folder / _QUERIES), _sha256(judged_in)),
        questions=tuple(questions),
        corpus_digest=digest("beir", corpus),
        documents=lambda: _documents(folder / CORPUS, names),
        document_count=len(names) - empty,
        split=judged_in.stem,
        notes=tuple(
            note
            for count, note in (
                (left, f"{left} queries without a relevant document were left out."),
                (empty, f"{empty} documents without any text were left out."),
                (lost, f"{lost} judged documents are not in the corpus and count as not found."),
            )
            if count
        ),
    )


def _judgements_file(folder: Path, split: str) -> Path:
    for needed in (folder / _QUERIES, folder / _QRELS):
        if not needed.exists():
            raise InvalidRequest(
                f"{needed} is missing.",
                f"The BEIR format has {CORPUS}, {_QUERIES} and {_QRELS}/test.tsv.",
            )
    splits = {path.stem: path for path in sorted((folder / _QRELS).glob("*.tsv"))}
    if not splits:
        raise InvalidRequest(
            f"{folder / _QRELS} holds no .tsv file.",
            "Add test.tsv: query-id, corpus-id and score on each line, separated by tabs.",
        )
    wanted = split or (_DEFAULT_SPLIT if _DEFAULT_SPLIT in splits else next(iter(splits)))
    if wanted not in splits or (not split and _DEFAULT_SPLIT not in splits and len(splits) > 1):
        what = f"has no split {split!r}" if split else "has several splits"
        raise InvalidRequest(
            f"{folder / _QRELS} {what}.", f"Choose one with --split: {', '.join(splits)}."
        )
    return splits[wanted]


def _document_names(path: Path) -> tuple[dict[str, str], int]:
    """The file name of each document id, and how many documents have no text."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    empty = 0
    for line in read_lines(path):
        document = line.identifier("_id")
        if document in names:
            raise line.wrong(f"the document {document!r} is there twice")
        empty += not _has_text(line)
        plain = _PLAIN_NAME.fullmatch(document) and not is_ignored(document)
        name = f"{document if plain else digest(document)}.md"
        if name.lower() in taken:  # a file system may not tell them apart
            name = f"{digest(document)}.md"
        taken.add(name.lower())
        names[document] = name
    if len(names) == empty:
        raise InvalidRequest(f"{path} holds no document with text.", "Check the download.")
    return names, empty


def _documents(path: Path, names: dict[str, str]) -> Iterator[Document]:
    for line in read_lines(path):
        if _has_text(line):
            title = " ".join(line.text("title", default="").split())
            heading = f"# {title}\n\n" if title else ""
            text = f"{heading}{line.text('text', default='')}\n"
            data = text.encode("utf-8", "replace")
            yield Document(names[line.identifier("_id")], data)


def _has_text(line: Line) -> bool:
    return bool(line.text("title", default="").strip() or line.text("text", default="").strip())


def _queries(path: Path) -> dict[str, Line]:
    queries: dict[str, Line] = {}
    for line in read_lines(path):
        query = line.identifier("_id")
        if query in queries:
            raise line.wrong(f"the query {query!r} is there twice")
        line.text("text")
        queries[query] = line
    return queries


def _grades(path: Path) -> dict[str, dict[str, int]]:
    grades: dict[str, dict[str, int]] = {}
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                text = raw.decode("utf-8-sig").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise InvalidRequest(
                    f"{path}, line {number}: it is not UTF-8.", "Save the file as UTF-8."
                ) from error
            if not text.strip():
                continue
            parts = [part.strip() for part in text.split("\t")]
            if number == 1 and parts[-1] == "score":
                continue
            try:
                query, document, score = parts
                grade = int(score)
            except ValueError as error:
                raise InvalidRequest(
                    f"{path}, line {number}: it has to be query-id, corpus-id and a whole number, "
                    "separated by tabs.",
                    "Correct that line.",
                ) from error
            if grades.setdefault(query, {}).setdefault(document, grade) != grade:
                raise InvalidRequest(
                    f"{path}, line {number}: the document {document!r} has two different scores "
                    f"for the query {query!r}.",
                    "Remove one of the lines.",
                )
    return grades


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
