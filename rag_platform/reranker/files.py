"""The files of a reranker: where the model comes from, where its export lies, and its proof."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_platform.embedding.files import (
    CHECKSUMS,
    DESCRIPTION,
    EXPORT,
    ONNX,
    fingerprint,
    sha256_of,
    verify_checksums,
)
from rag_platform.embedding.models import Stamp
from rag_platform.errors import ModelUnavailable
from rag_platform.ledger.digests import digest

EXPORTED_AGAIN = "Delete that folder; the model is exported again at the next start of rag up."
CHOOSE = "Set RAG_RERANKER to the folder or the hub name of a cross-encoder, or leave it empty."

FORMAT = 1
"""What an export holds and how; another number has all made again."""

_FOLDER = "reranker"
_COUNTED = {".json", ".model", ".safetensors", ".txt"}
"""The files that decide what a model in a folder gives."""


@dataclass(frozen=True)
class RerankerFiles:
    """A folder with an exported cross-encoder: ONNX, tokenizer, description, checksums."""

    path: Path
    source: str
    """The folder or the hub name that it was made of."""

    @classmethod
    def of(cls, models: Path, setting: str) -> "RerankerFiles":
        """Where the export of ``RAG_RERANKER`` lies in the folder of models, once it is made."""
        return cls(models / _FOLDER / digest(setting), setting)

    @property
    def onnx(self) -> Path:
        """The file that serves."""
        return self.path / ONNX["fp32"]

    @property
    def id(self) -> str:
        """Equal for equal files only: the beginning of a digest."""
        return fingerprint(self.path)[:12]

    def is_current(self) -> bool:
        """Whether the export was made of what is in the source's folder now.

        What the hub has under a name is taken for the same until the export is deleted.
        """
        try:
            facts: Any = json.loads((self.path / EXPORT).read_text())
        except (OSError, ValueError):
            return False
        if not isinstance(facts, dict) or facts.get("format") != FORMAT:
            return False
        return (self.path / CHECKSUMS).is_file() and facts.get("made_of") == contents_of(
            self.source
        )

    def describe(self) -> dict[str, Any]:
        """The description: max_tokens, pad_id, prompt, model."""
        return json.loads((self.path / DESCRIPTION).read_text())

    def verified(self) -> "RerankerFiles":
        """The files, compared with their checksums. Raises :class:`ModelUnavailable`."""
        if not self.path.is_dir():
            raise ModelUnavailable(
                f"The reranker {self.source} has not been exported.",
                "Start the platform with rag up, which does it once; or leave RAG_RERANKER empty.",
            )
        stamp = Stamp(self.path)
        if not stamp.is_valid():
            verify_checksums(self.path, f"the reranker {self.source}", EXPORTED_AGAIN)
            stamp.write()
        return self


def source_of(setting: str) -> Path | str:
    """A model's folder, or its name on the hub. Raises :class:`ModelUnavailable`."""
    folder = Path(setting).expanduser()
    if folder.is_dir():
        return folder.resolve()
    if setting.startswith((".", "/", "~")) or setting.count("/") > 1:
        raise ModelUnavailable(f"The reranker's folder {setting} does not exist.", CHOOSE)
    return setting


def contents_of(setting: str) -> dict[str, str]:
    """The sha256 of each file that counts in a model's folder; nothing for a name on the hub."""
    folder = Path(setting)
    if not folder.is_dir():
        return {}
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in _counted(folder)}


def _counted(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix in _COUNTED and path.is_file() and not hidden:
            yield path
