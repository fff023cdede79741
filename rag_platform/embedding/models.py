"""The versions of the embedding model on this machine, fetched from the registry when missing."""

import json
import threading
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from rag_platform.embedding.encoder import Encoder, load_tokenizer
from rag_platform.embedding.files import CHECKSUMS, FETCHED_AGAIN, ModelFiles
from rag_platform.errors import ModelUnavailable
from rag_platform.ledger.generations import Generation
from rag_platform.tracking import Tracking

EMBEDDER = "embedder"
"""The registered name of the embedding model."""


class Models:
    """The folder ``RAG_HOME/models``: one folder per registered version, verified before use."""

    def __init__(self, folder: Path, tracking: Tracking) -> None:
        self.folder = folder
        self._tracking = tracking

    def files(self, name: str, version: str, precision: str = "fp32") -> ModelFiles:
        """The verified files of a version. Raises :class:`ModelUnavailable`."""
        path = self.folder / name / version
        if not (path / CHECKSUMS).is_file():
            self._tracking.download(name, version, path)
        files = ModelFiles(path, name, version, precision)
        stamp = Stamp(path)
        if not stamp.is_valid():
            files.verify()
            stamp.write()
        return files

    def encoder(
        self,
        spec: dict[str, Any],
        *,
        threads: int,
        batch_tokens: int,
        one_session: bool = False,
    ) -> Encoder:
        """The encoder that a generation's spec names, proved to be the one it was built with."""
        files = self.files(spec["model"], spec["version"], spec["precision"])
        if files.encoder_spec() != spec:
            raise ModelUnavailable(
                f"The files in {files.path} are not the model that the index was built with.",
                FETCHED_AGAIN,
            )
        return Encoder(files, threads=threads, batch_tokens=batch_tokens, one_session=one_session)


class Encoders:
    """The encoders of generations, each loaded when it is first needed, and once."""

    def __init__(
        self, models: Models, *, threads: int, batch_tokens: int, one_session: bool = False
    ) -> None:
        self._models = models
        self._one_session = one_session
        self._threads = threads
        self._batch_tokens = batch_tokens
        self._loaded: dict[str, Encoder] = {}
        self._lock = threading.Lock()

    def __call__(self, generation: Generation) -> Encoder:
        """The encoder that a generation was built with."""
        with self._lock:
            if generation.encoder not in self._loaded:
                self._loaded[generation.encoder] = self._models.encoder(
                    generation.spec["encoder"],
                    threads=self._threads,
                    batch_tokens=self._batch_tokens,
                    one_session=self._one_session,
                )
            return self._loaded[generation.encoder]

    def tokenizer(self, generation: Generation) -> Tokenizer:
        """The tokenizer of a generation's encoder, without loading the model."""
        spec = generation.spec["encoder"]
        return load_tokenizer(self._models.files(spec["model"], spec["version"]))


class Stamp:
    """Remembers that files were verified, until one of them is touched.

    Hashing 180 MB takes half a second, which every ingestion run would pay.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder.parent / f".verified-{folder.name}.json"
        self._folder = folder

    def is_valid(self) -> bool:
        """Whether every file is the one that was verified, by inode, size and times."""
        try:
            return json.loads(self._file.read_text()) == self._now()
        except (OSError, ValueError):
            return False

    def write(self) -> None:
        """Note that the files were verified."""
        self._file.write_text(json.dumps(self._now()))

    def _now(self) -> dict[str, list[int]]:
        return {
            path.relative_to(self._folder).as_posix(): [
                (stat := path.stat()).st_ino,
                stat.st_size,
                stat.st_mtime_ns,
                stat.st_ctime_ns,
            ]
            for path in sorted(self._folder.rglob("*"))
            if path.is_file()
        }
