"""What lies in a bucket, and the error of an object that is still being written."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rag_platform.errors import RagError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DocumentChanging(RagError):
    """The object changes while it is read; it is left for the next look at the bucket."""


@dataclass(frozen=True, slots=True)
class BucketObject:
    """One object of a bucket.

    ``key`` is its path inside the bucket, '/'-separated, exactly as the store names it; ``size`` is
    in bytes; ``etag`` is whatever the store changes with the content (for a local file: the inode
    and its times in nanoseconds, which a datetime cannot hold).
    """

    key: str
    size: int
    modified: datetime
    etag: str | None

    @property
    def fingerprint(self) -> str:
        """Changes whenever the object may have changed."""
        # Integer arithmetic: a float of seconds loses microseconds.
        microseconds = (self.modified - _EPOCH) // timedelta(microseconds=1)
        return f"{self.size}:{microseconds}:{self.etag or ''}"
