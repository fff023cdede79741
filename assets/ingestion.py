"""From the bucket to the index, as reconciliation: each asset says what exists after it."""

import time

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,  # not public, and the event cannot do without
)

from assets.partitions import collection_name, collection_partitions
from assets.tables import table
from assets.time_limit import time_limit
from rag_platform.documents.bucket import Bucket, collection_of
from rag_platform.documents.chunking import ChunkingSpec
from rag_platform.documents.chunks import count_unsplit, reconcile_chunks
from rag_platform.documents.ingestion import MEGABYTE, reconcile_documents
from rag_platform.documents.isolation import ParserPool
from rag_platform.embedding.models import Encoders
from rag_platform.embedding.stage import reconcile_embeddings
from rag_platform.index.chroma import Chroma
from rag_platform.index.stage import reconcile_index
from rag_platform.index.verification import verify
from rag_platform.ledger import Ledger
from rag_platform.ledger.collections import Collection, ensure_collection
from rag_platform.ledger.generations import Generation
from rag_platform.ledger.serving import live_generations
from rag_platform.objects import Objects
from rag_platform.settings import Settings


@dg.asset(partitions_def=collection_partitions, group_name="ingestion")
def documents(
    context: dg.AssetExecutionContext,
    ledger: dg.ResourceParam[Ledger],
    bucket: dg.ResourceParam[Bucket],
    objects: dg.ResourceParam[Objects],
    parser: dg.ResourceParam[ParserPool],
) -> dg.MaterializeResult:
    """The bucket listed, changed files parsed, gone files tombstoned.

    A file that cannot be read is quarantined with its reason and never stops the others.
    """
    settings = Settings.load().ingestion
    started = time.monotonic()
    collection = _collection(context, ledger)
    report = reconcile_documents(
        ledger,
        bucket,
        objects,
        parser,
        (collection.id, collection.name),
        limit=settings.documents_per_run,
        max_bytes=settings.max_document_megabytes * MEGABYTE,
        max_words=settings.words_per_run,
        until=time_limit(context, "documents"),
        at_once=parser.processes,
        progress=lambda key: context.log.info("Read %s", key),
    )
    return dg.MaterializeResult(
        metadata={
            "listed": report.listed,
            "unchanged": report.unchanged,
            "read": len(report.read),
            "deleted": len(report.deleted),
            "missing, but the place is another": report.missing,
            "quarantined": len(report.quarantined),
            "being written": len(report.waiting),
            "left for the next run": report.left,
            "changes": dg.MetadataValue.md(
                table(
                    ("document", "what happened"),
                    [
                        *((key, "read") for key in report.read),
                        *((key, f"quarantined: {r}") for key, r in report.quarantined.items()),
                        *((key, "deleted") for key in report.deleted),
                        *((key, "still being written") for key in report.waiting),
                    ],
                )
            ),
            "never looked at": dg.MetadataValue.md(
                table(("name", "why"), _skipped(bucket, collection))
            ),
            "seconds": time.monotonic() - started,
        }
    )


@dg.asset(partitions_def=collection_partitions, group_name="ingestion", deps=[documents])
def chunks(
    context: dg.AssetExecutionContext,
    ledger: dg.ResourceParam[Ledger],
    objects: dg.ResourceParam[Objects],
    encoders: dg.ResourceParam[Encoders],
) -> dg.MaterializeResult:
    """Every current content has chunks under the live chunking specs."""
    started, end = time.monotonic(), time_limit(context, "chunks")
    collection = _collection(context, ledger)
    made: dict[str, int] = {}
    left = 0
    for generation in _live(ledger):
        spec = ChunkingSpec.from_dict(generation.spec["chunking"]["spec"])
        if spec.id not in made:
            made[spec.id] = reconcile_chunks(
                ledger,
                objects,
                encoders.tokenizer(generation),
                spec,
                collection.id,
                until=end,
            )
            left += count_unsplit(ledger, spec, collection.id)
    return dg.MaterializeResult(
        metadata={
            "chunks made": sum(made.values()),
            "documents left for the next run": left,
            "chunking": ", ".join(made),
            "seconds": time.monotonic() - started,
        }
    )


@dg.asset(partitions_def=collection_partitions, group_name="ingestion", deps=[chunks])
def embeddings(
    context: dg.AssetExecutionContext,
    ledger: dg.ResourceParam[Ledger],
    objects: dg.ResourceParam[Objects],
    encoders: dg.ResourceParam[Encoders],
) -> dg.MaterializeResult:
    """Every chunk has a stored vector under the live model versions."""
    started, end = time.monotonic(), time_limit(context, "embeddings")
    collection = _collection(context, ledger)
    generations = _live(ledger)
    reports = [
        reconcile_embeddings(
            ledger,
            objects,
            encoders,
            generation,
            collection.id,
            progress=lambda done: context.log.info("%d chunks have their vectors", done),
            until=end,
        )
        for generation in generations
    ]
    seconds = time.monotonic() - started
    embedded = sum(report.embedded for report in reports)
    return dg.MaterializeResult(
        metadata={
            "chunks": sum(report.chunks for report in reports),
            "embedded": embedded,
            "left for the next run": sum(report.left for report in reports),
            "model versions": ", ".join(
                f"{g.spec['encoder']['model']} {g.spec['encoder']['version']}" for g in generations
            ),
            "seconds": seconds,
            "chunks per second": embedded / max(seconds, 1e-9),
        }
    )


@dg.asset(partitions_def=collection_partitions, group_name="ingestion", deps=[embeddings])
def search_index(
    context: dg.AssetExecutionContext,
    ledger: dg.ResourceParam[Ledger],
    objects: dg.ResourceParam[Objects],
    encoders: dg.ResourceParam[Encoders],
    chroma: dg.ResourceParam[Chroma],
) -> dg.MaterializeResult:
    """Chroma and the keyword index hold exactly the current chunks."""
    started, end = time.monotonic(), time_limit(context, "search_index")
    collection = _collection(context, ledger)
    rows: list[tuple[object, ...]] = []
    for generation in _live(ledger):
        report = reconcile_index(ledger, objects, chroma, generation, collection.id, until=end)
        rows.append(
            (
                generation.id,
                report.vectors,
                report.added,
                report.removed,
                report.repaired,
                report.published,
                "yes" if report.current else report.left or "no",
            )
        )
    header = ("generation", "vectors", "added", "removed", "repaired", "published", "current")
    return dg.MaterializeResult(
        metadata={
            "vectors": sum(int(str(row[1])) for row in rows),
            "generations": dg.MetadataValue.md(table(header, rows)),
            "seconds": time.monotonic() - started,
        }
    )


class VerificationConfig(dg.Config):
    """How thorough the check is."""

    exhaustive: bool = False


@dg.asset_check(asset=search_index)
def index_matches_bucket(
    context: dg.AssetCheckExecutionContext,
    config: VerificationConfig,
    ledger: dg.ResourceParam[Ledger],
    bucket: dg.ResourceParam[Bucket],
    objects: dg.ResourceParam[Objects],
    chroma: dg.ResourceParam[Chroma],
) -> dg.AssetCheckResult:
    """Nothing is lost: every object has a row, and the indexes hold exactly what the ledger wants.

    A run compares everything in the collection that it touched, and the counts of all others; the
    verdict is one over all collections. Work that is left for the next run is no loss.
    """
    partition = context.run.tags.get("dagster/partition")
    result = verify(
        ledger,
        bucket,
        objects,
        chroma,
        touched=collection_name(partition) if partition else None,
        exhaustive=config.exhaustive,
        finished=False,
    )
    verdict = dg.AssetCheckResult(
        passed=result.passed,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "exhaustive": result.exhaustive,
            "objects": result.objects,
            "documents": result.documents,
            "vectors": result.vectors,
            "vectors queried": result.queried,
            "missed by the search": result.unreached,
            "work left": " ".join(result.left) or "none",
            "problems": dg.MetadataValue.md(
                "\n".join(f"- {problem}" for problem in result.problems[:100]) or "none"
            ),
        },
    )
    _let_the_last_verdict_stand(context, verdict)
    return verdict


def _let_the_last_verdict_stand(
    context: dg.AssetCheckExecutionContext, verdict: dg.AssetCheckResult
) -> None:
    """Report a verdict once more where a run that was planned later has given its own before.

    Dagster shows the verdict of the run that was planned last, not of the one that ended last.
    """
    key = dg.AssetCheckKey(dg.AssetKey("search_index"), "index_matches_bucket")
    planned = context.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    if not planned or planned[0].run_id == context.run.run_id:
        return
    made = context.instance.fetch_materializations(key.asset_key, limit=1).records
    context.instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=verdict.passed,
            metadata=verdict.metadata,
            severity=verdict.severity,
            # Without it Dagster compares times, of which SQLite keeps whole seconds only.
            target_materialization_data=AssetCheckEvaluationTargetMaterializationData(
                storage_id=made[0].storage_id,
                run_id=made[0].run_id,
                timestamp=made[0].timestamp,
            )
            if made
            else None,
        )
    )


def _collection(context: dg.AssetExecutionContext, ledger: Ledger) -> Collection:
    with ledger.write() as connection:
        return ensure_collection(connection, collection_name(context.partition_key))


def _skipped(bucket: Bucket, collection: Collection) -> list[tuple[object, ...]]:
    """Links, pipes and names that are no text: no documents, but a person may wonder."""
    names = sorted(bucket.skipped.items())
    return [(name, why) for name, why in names if collection_of(name) == collection.name]


def _live(ledger: Ledger) -> list[Generation]:
    with ledger.read() as connection:
        return live_generations(connection)
