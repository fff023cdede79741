"""The name under which an orchestrator knows a collection."""

from urllib.parse import unquote


def partition_key(collection: str) -> str:
    """The partition of a collection.

    Dagster forbids "..." and control characters in a key, which a folder's name may hold.
    """
    escaped = collection.replace("%", "%25").replace("...", "%2E%2E%2E")
    return "".join(
        c if c.isprintable() else "".join(f"%{b:02X}" for b in c.encode()) for c in escaped
    )


def collection_name(key: str) -> str:
    """The collection of a partition."""
    return unquote(key)
