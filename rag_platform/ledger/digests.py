"""Content addresses: the same inputs give the same id on every machine."""

import hashlib
import json
from typing import Any


def digest(*parts: object) -> str:
    """The first 128 bits of the sha256 of ``parts``, as 32 hex digits.

    Parts are separated unambiguously: ``digest("ab", "c")`` differs from ``digest("a", "bc")``.
    """
    packed = json.dumps([str(part) for part in parts], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(packed.encode()).hexdigest()[:32]


def spec_digest(spec: dict[str, Any]) -> str:
    """The digest of a spec, whatever the order of its keys."""
    return digest(json.dumps(spec, sort_keys=True, ensure_ascii=False))
