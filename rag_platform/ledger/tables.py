"""The ledger's tables: the record from which every index can be rebuilt.

Digests are the first 128 bits of a sha256, as 32 hex digits; ``ledger.digests`` makes them.
Times are aware and UTC.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time on both databases (SQLite drops the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC, naive for SQLite."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Back to an aware time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# Byte order on both databases, so that a page of a list ends at the same row on both.
Name = Text().with_variant(Text(collation="C"), "postgresql")
Digest = String(32).with_variant(String(32, collation="C"), "postgresql")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

collections = Table(
    "collections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
    Column("revision", Integer, nullable=False, default=0),
    Column("created_at", UtcDateTime, nullable=False),
    Column("place", Text, comment="where its documents were last listed"),
    comment="A knowledge base: a top folder of the bucket. The revision counts its changes.",
)

documents = Table(
    "documents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("collection_id", Integer, ForeignKey("collections.id"), nullable=False),
    Column("key", Name, nullable=False),
    Column("state", String(12), nullable=False),
    Column("reason", Text),
    Column("fingerprint", Text),
    Column("size_bytes", BigInteger, nullable=False),
    Column("content_id", Digest, ForeignKey("contents.id")),
    Column("indexed_content_id", Digest, ForeignKey("contents.id")),
    Column("revision", Integer, nullable=False),
    Column("uploaded_at", UtcDateTime, nullable=False),
    Column("indexed_at", UtcDateTime),
    UniqueConstraint("collection_id", "key"),
    Index(None, "collection_id", "revision"),
    Index(None, "collection_id", "state"),
    Index(None, "content_id"),
    Index(None, "indexed_content_id"),
    comment="A path: content_id is what the bucket holds, indexed_content_id what readers see",
)

contents = Table(
    "contents",
    metadata,
    Column("id", Digest, primary_key=True),
    Column("sha256", String(64), nullable=False, index=True),
    Column("media_type", Text, nullable=False),
    Column("parser", Text, nullable=False),
    Column("reason", Text),
    Column("title", Text),
    Column("author", Text),
    Column("created_at", UtcDateTime),
    Column("modified_at", UtcDateTime),
    Column("pages", Integer),
    Column("words", Integer),
    Column("language", Text, comment="ISO 639-1, such as en"),
    Column("notes", JSON, comment="What a person should know of how it was read."),
    Column("text_ref", Text),
    Column("parsed_at", UtcDateTime, nullable=False),
    comment="Distinct bytes as read by one parser version; a reason where they cannot be read.",
)

chunked_contents = Table(
    "chunked_contents",
    metadata,
    Column("content_id", Digest, ForeignKey("contents.id"), primary_key=True),
    Column("chunking", Text, primary_key=True),
    Column("chunks", Integer, nullable=False),
    comment="A content that has been split under a chunking spec, and into how many chunks.",
)

chunks = Table(
    "chunks",
    metadata,
    Column("id", Digest, primary_key=True),
    Column("content_id", Digest, ForeignKey("contents.id"), nullable=False),
    Column("chunking", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("page", Integer),
    Column("heading_path", JSON, nullable=False, comment="what all of it stands under"),
    Column("places", JSON(none_as_null=True), comment="where the page or the heading changes"),
    Column("table_columns", Text, comment="of the table that it begins in"),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("token_count", Integer, nullable=False),
    UniqueConstraint("content_id", "chunking", "ordinal"),
    comment="A passage of a content; start and end are offsets in its extracted text.",
)

vectors = Table(
    "vectors",
    metadata,
    Column("id", Digest, primary_key=True),
    Column("encoder", Digest, nullable=False),
    Column("block", Text, nullable=False),
    Column("row", Integer, nullable=False),
    Index(None, "block"),
    comment="A stored vector: a row of a float32 array in the object store.",
)

chunk_vectors = Table(
    "chunk_vectors",
    metadata,
    Column("chunk_id", Digest, ForeignKey("chunks.id"), primary_key=True),
    Column("embedding", Digest, primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("vector_id", Digest, ForeignKey("vectors.id"), nullable=False),
    Index(None, "vector_id"),
    comment="The vectors of a chunk under an embedding spec: one per window.",
)

chunk_terms = Table(
    "chunk_terms",
    metadata,
    Column("chunk_id", Digest, ForeignKey("chunks.id"), primary_key=True),
    Column("analysis", Digest, primary_key=True),
    Column("terms", LargeBinary, nullable=False),
    comment="The term counts of a chunk under an analysis spec, for BM25.",
)

generations = Table(
    "generations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("state", String(12), nullable=False),
    Column("spec", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    comment="An index build and its whole spec.",
)

generation_collections = Table(
    "generation_collections",
    metadata,
    Column("generation_id", Integer, ForeignKey("generations.id"), primary_key=True),
    Column("collection_id", Integer, ForeignKey("collections.id"), primary_key=True),
    Column("chroma_name", Text, nullable=False),
    Column("vectors", Integer, nullable=False, default=0),
    Column("entries_revision", Integer, nullable=False, default=0),
    Column("indexed_revision", Integer, nullable=False, default=-1),
    comment="A generation's index of one collection, its size, and how current it is",
)

index_entries = Table(
    "index_entries",
    metadata,
    Column("generation_id", Integer, ForeignKey("generations.id"), primary_key=True),
    Column("collection_id", Integer, ForeignKey("collections.id"), primary_key=True),
    Column("vector_id", Digest, ForeignKey("vectors.id"), primary_key=True),
    comment="A vector that Chroma acknowledged.",
)

retrieval_settings = Table(
    "retrieval_settings",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("settings", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    comment="Retrieval settings, versioned: fusion weight, passages, abstention threshold.",
)

serving = Table(
    "serving",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("generation_id", Integer, ForeignKey("generations.id"), nullable=False),
    Column("previous_generation_id", Integer, ForeignKey("generations.id")),
    Column("settings_version", Integer, ForeignKey("retrieval_settings.version"), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    comment="The one row that readers follow; switched by compare-and-swap on the revision.",
)

answers = Table(
    "answers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", String(64), nullable=False, index=True),
    Column("question", Text, nullable=False),
    Column("rewritten_question", Text),
    Column("answer", Text, nullable=False),
    Column("status", String(12), nullable=False),
    Column("notice", Text),
    Column("model", Text, nullable=False),
    Column("prompt_hash", Digest),
    Column("collections", JSON, nullable=False),
    Column("generation_id", Integer),
    Column("settings_version", Integer),
    Column("timings_ms", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    comment="A question answered, with everything that made the answer.",
)

citations = Table(
    "citations",
    metadata,
    Column("answer_id", String(32), ForeignKey("answers.id"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("chunk_id", Digest, nullable=False, index=True),
    Column("content_id", Digest, nullable=False),
    Column("collection", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("page", Integer),
    Column("heading_path", JSON, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("quote", Text, nullable=False),
    Column("score", Float, nullable=False),
    Column("ranks", JSON, nullable=False),
    comment="A passage that an answer cites; a purged chunk leaves its citation",
)

ratings = Table(
    "ratings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("answer_id", String(32), ForeignKey("answers.id"), nullable=False),
    Column("rater", Text, nullable=False),
    Column("rating", String(4), nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("comment", Text, nullable=False),
    Column("passage", Digest),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("answer_id", "rater"),
    comment="A person's verdict on an answer; the newest wins.",
)

promotions = Table(
    "promotions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("from_generation_id", Integer),
    Column("to_generation_id", Integer, nullable=False),
    Column("outcome", String(12), nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    comment="A switch of what serves, or a refusal.",
)
