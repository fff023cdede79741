"""The error tree. Every error that a person can meet is one sentence and, where it helps, a remedy.

RagError
├── SettingsError          a setting is missing or makes no sense
├── InvalidRequest         what was asked for cannot be done as asked
│   ├── NotFound           no such document, collection, answer or model
│   └── Conflict           the thing is not in a state that allows it
├── UnreadableDocument     one document cannot be read; says why to the person who dropped it
│   └── ReadingFailed      this attempt failed; with more time or memory another may not
├── Unavailable            a part that the platform leans on does not answer
│   ├── BucketUnavailable
│   ├── LedgerUnavailable
│   ├── IndexUnavailable   Chroma does not answer within the deadline
│   ├── IndexMissing       Chroma answers, but has lost a collection (it is being rebuilt)
│   ├── ModelUnavailable   model files are missing, or do not match their checksums
│   ├── TrackingUnavailable
│   └── LanguageModelUnavailable
└── StartError             the stack cannot start: a port is taken, the disk is full, ...
"""


class RagError(Exception):
    """A failure with a sentence for people.

    ``remedy`` says what to do about it and may be empty. ``str(error)`` is both.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class SettingsError(RagError):
    """A setting is missing or makes no sense."""


class InvalidRequest(RagError):
    """What was asked for cannot be done as asked."""


class NotFound(InvalidRequest):
    """No such document, collection, answer or model."""


class Conflict(InvalidRequest):
    """The thing is not in a state that allows what was asked."""


class UnreadableDocument(RagError):
    """One document cannot be read; the message is the reason shown to people."""


class ReadingFailed(UnreadableDocument):
    """This attempt to read a document failed; with more time or memory another may not."""


class Unavailable(RagError):
    """A part that the platform leans on does not answer."""


class BucketUnavailable(Unavailable):
    """The bucket cannot be listed, read or written."""


class LedgerUnavailable(Unavailable):
    """The ledger's database does not answer, or its schema is not the one this code needs."""


class IndexUnavailable(Unavailable):
    """Chroma does not answer within the deadline."""


class IndexMissing(Unavailable):
    """Chroma answers but has lost a collection that the ledger expects."""


class ModelUnavailable(Unavailable):
    """Model files are missing or do not match their checksums."""


class TrackingUnavailable(Unavailable):
    """MLflow does not answer."""


class LanguageModelUnavailable(Unavailable):
    """The language model does not answer, or broke off."""


class StartError(RagError):
    """The stack cannot start."""
