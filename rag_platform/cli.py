"""The ``rag`` command."""

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rag_platform import EXAMPLE_QUESTION
from rag_platform.errors import InvalidRequest, NotFound, RagError
from rag_platform.evaluation import command as evaluation
from rag_platform.evaluation import tune_command as tuning
from rag_platform.printing import printable
from rag_platform.settings import Settings

if TYPE_CHECKING:
    from rag_platform.wiring import Platform

app = typer.Typer(
    help="Documents in a bucket, questions, answers that cite the exact passage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # a wrong argument is one line, not a box
)
app.command("eval")(evaluation.evaluate)
app.command("tune")(tuning.tune)
_out = Console()
_err = Console(stderr=True)

Collections = Annotated[
    list[str] | None,
    typer.Option("--collection", "-c", help="Only this collection; may be given several times."),
]


@app.command()
def up() -> None:
    """Start everything and keep it running until Ctrl-C."""
    from rag_platform.bootstrap import (
        export_base_model,
        export_reranker,
        prepare_data,
        prepare_serving,
    )
    from rag_platform.supervisor import run

    settings = Settings.load()
    reranker = [export_reranker] if settings.reranking.reranker else []
    raise typer.Exit(
        run(
            settings,
            prepare=[prepare_data, export_base_model, *reranker],
            after=[prepare_serving],
            question=EXAMPLE_QUESTION,
        )
    )


@app.command()
def status() -> None:
    """Show every component's health, the documents by state, and what serves."""
    from rag_platform.status import Status

    with _out.status("Asking every component…"):
        report = Status.of(Settings.load())
    table = Table("component", "state", "detail", box=None, pad_edge=False)
    for part in report.components:
        state = Text(part.state, "green" if part.healthy else "red")
        table.add_row(part.name, state, _text(part.detail))
    _out.print(table)
    if report.documents:
        counts = Table("collection", *report.states, box=None, pad_edge=False)
        for name, by_state in report.documents.items():
            counts.add_row(_text(name), *(str(by_state.get(state, 0)) for state in report.states))
        _out.print()
        _out.print(counts)
    _out.print()
    for line in report.serving:
        _out.print(_text(line))
    if report.skipped:
        _out.print(_text(_skipped(report.skipped)))
    raise typer.Exit(0 if report.healthy else 1)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question, in quotation marks.")],
    collection: Collections = None,
) -> None:
    """Ask a question; the answer cites the passages it comes from."""
    with _out.status("Searching…"):
        answer = _platform().answering.answer(_asked(question), collection)
    for line in answer.answer.splitlines():
        _out.print(_text(line))
    if answer.notice:
        _out.print(_text(answer.notice, "yellow"))

    for citation in answer.citations:
        place = _place(citation.key, citation.page, citation.heading_path)
        _out.print(_text(f"[{citation.n}] {place}", "bold"))
        _out.print(_text(f"    “{' '.join(citation.quote.split())}”"))
    _out.print(
        _text(f"{answer.status}, answer {answer.id}, {answer.timings_ms['total']:.0f} ms", "dim")
    )


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="What to look for, in quotation marks.")],
    collection: Collections = None,
    top_k: Annotated[
        int, typer.Option("--top-k", "-k", min=1, max=100, help="How many passages.")
    ] = 5,
) -> None:
    """Find passages without asking a language model."""
    with _out.status("Searching…"):
        found = _platform().search(_asked(query), collection, top_k)
    for n, passage in enumerate(found.passages, start=1):
        chunk = passage.chunk
        place = _place(chunk.key, chunk.page, chunk.main_path)
        _out.print(_text(f"{n}. {place}  (score {passage.score:.3f})", "bold"))
        _out.print(_text(f"   {' '.join(chunk.text.split())[:300]}"))
    if not found.passages:
        _out.print("Nothing was found.")
    if (done := found.reranking) and done.is_cut:
        line = f"The reranker's time ran out: {done.scored} of {done.candidates} are in its order."
        _out.print(_text(line, "yellow"))


@app.command()
def documents(
    collection: Annotated[
        str | None, typer.Option("--collection", "-c", help="Only this collection.")
    ] = None,
    skipped: Annotated[
        bool, typer.Option("--skipped", help="What lies in the bucket and is never read, and why.")
    ] = False,
) -> None:
    """List the documents with their state and, where one cannot be read, the reason."""
    from rag_platform.ledger.collections import list_collections
    from rag_platform.ledger.listing import list_documents
    from rag_platform.ledger.serving import current_serving

    platform = _platform()
    if collection is not None:
        with platform.ledger.read() as connection:
            known = [item.name for item in list_collections(connection)]
        if collection not in known:
            remedy = f"Known are: {', '.join(known)}." if known else "There is none yet."
            raise NotFound(f"There is no collection {collection!r}.", remedy)
    if skipped:
        _list_skipped(platform, collection)
        return
    after: tuple[str, str] | None = None
    table = Table(box=None, pad_edge=False)
    for column in ("document", "state", "chunks", "reason"):
        table.add_column(column, overflow="fold")
    total = 0
    while True:
        with platform.ledger.read() as connection:
            serving = current_serving(connection)
            chunking = serving.generation.chunking if serving else ""
            page = list_documents(connection, collection, chunking=chunking, after=after, limit=500)
        for item in page:
            table.add_row(
                _text(item.key),
                item.state,
                "" if item.chunks is None else str(item.chunks),
                _text(item.reason or ""),
            )
        total += len(page)
        if len(page) < 500:
            break
        after = (page[-1].collection, page[-1].key)
    _out.print(table if total else "There are no documents yet: drop a file in the bucket.")


@app.command()
def ingest(
    path: Annotated[Path, typer.Argument(help="A file, or a folder with all that is under it.")],
    collection: Annotated[
        str, typer.Option("--collection", "-c", help="Where the documents belong.")
    ],
) -> None:
    """Copy files into the bucket and make them answerable; start it again at any time."""
    from rag_platform.ingestion.copying import copy
    from rag_platform.ingestion.display import Display
    from rag_platform.ingestion.lease import held
    from rag_platform.ledger.collections import count_by_state

    platform = _platform()
    platform.chroma.heartbeat()
    limit = platform.settings.ingestion.max_document_megabytes << 20
    try:
        with (
            held(platform.settings.home, collection),
            Display(_out) as display,
            platform.parser() as parser,
        ):
            copied = copy(
                platform.ledger,
                platform.bucket,
                path,
                collection,
                max_bytes=limit,
                progress=display.copied,
            )
            display.ingesting()
            progress = platform.pipeline(parser).ingest(collection, display.ingested)
        with platform.ledger.read() as connection:
            states = count_by_state(connection).get(collection, {})
        display.summary(copied, progress, states)
        if copied.refused and not (copied.written or copied.same):
            raise typer.Exit(1)  # nothing of what was named could be taken
    except KeyboardInterrupt:
        _err.print("Interrupted. What is done is kept; the same command goes on from there.")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(130)  # a thread that waits for a disk or a server would be waited for


@app.command()
def forget(
    collection: Annotated[str, typer.Argument(help="The collection whose documents are gone.")],
) -> None:
    """Take a collection's documents that lie in no source any more for deleted.

    Needed only where a source was replaced or taken out of RAG_BUCKET: what is deleted in a source
    is forgotten by itself.
    """
    from rag_platform.ledger.collections import find_collection, note_place

    with _platform().ledger.write() as connection:
        found = find_collection(connection, collection)
        if found is None:
            raise NotFound(f"There is no collection {collection!r}.")
        note_place(connection, found.id, None)
    _out.print(
        _text(f"What of {collection!r} lies in no source is forgotten at the next look at it.")
    )


def main() -> None:
    """Run the command; a failure is one sentence and exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8
    try:
        app()
    except RagError as error:
        _err.print(_text(str(error), "red"), soft_wrap=True)
        sys.exit(1)


def _list_skipped(platform: "Platform", collection: str | None) -> None:
    from rag_platform.documents.bucket import collection_of

    for _ in platform.bucket.list():
        pass  # the listing notes what it leaves out
    table = Table(box=None, pad_edge=False)
    for column in ("name", "reason"):
        table.add_column(column, overflow="fold")
    for name, reason in sorted(platform.bucket.skipped.items()):
        if collection in (None, collection_of(name)):
            table.add_row(_text(name), _text(reason))
    _out.print(table if table.row_count else "Nothing in the bucket is skipped.")


def _skipped(names: Sequence[str]) -> str:
    from rag_platform.ingestion.display import shortened

    first = ", ".join(shortened(name, 40) for name in names[:3])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    what = "1 name in the bucket is" if len(names) == 1 else f"{len(names)} names in the bucket are"
    return f"{what} skipped: {first}{more}. rag documents --skipped says why."


def _text(line: str, style: str = "") -> Text:
    return Text(printable(line), style)


def _place(key: str, page: int | None, heading_path: Sequence[str]) -> str:
    parts = [key, f"page {page}" if page else "", " > ".join(heading_path)]
    return ", ".join(filter(None, parts))


def _asked(text: str) -> str:
    if not text.strip():
        raise InvalidRequest("There is nothing to look for.", "Give the question as an argument.")
    return text


def _platform() -> "Platform":
    import structlog

    from rag_platform.wiring import Platform

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    platform = Platform(Settings.load())
    platform.ledger.require_schema()
    return platform
