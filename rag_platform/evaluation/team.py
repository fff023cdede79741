"""The team's own validation set, in the object store."""

from rag_platform.errors import NotFound
from rag_platform.evaluation.datasets import Dataset
from rag_platform.evaluation.datasets.validation import EXAMPLE, read
from rag_platform.index.promotion import VALIDATION_SET
from rag_platform.objects import Objects

NAME = VALIDATION_SET


def team_dataset(objects: Objects) -> Dataset | None:
    """The validation set, None where there is none.

    Raises :class:`InvalidRequest` with line and remedy where it is malformed.
    """
    try:
        data = objects.get(NAME)
    except NotFound:
        return None
    return read(data, NAME)


def how_to_make_one(objects: Objects) -> str:
    """What a team does to have one."""
    return (
        f"There is no validation set yet: put {NAME} in the object store ({objects.url}), "
        f"on each line a question, its document and exact quotes that answer it, such as {EXAMPLE}"
    )
