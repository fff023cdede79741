"""The sample documents, put in the bucket once."""

import shutil
from pathlib import Path


def seed(bucket: Path, examples: Path, home: Path) -> int:
    """Copy the samples on the first start and return how many; later starts copy nothing.

    The bucket is the user's: no file of theirs is replaced, and a sample that they deleted does not
    come back. The bucket's folder is made if it is missing.
    """
    bucket.mkdir(parents=True, exist_ok=True)
    marker = home / "seeded"
    if marker.exists():
        return 0
    copied = 0
    for source in sorted(path for path in examples.rglob("*") if path.is_file()):
        target = bucket / source.relative_to(examples)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            # Whoever watches the bucket sees a whole file or none; temporary names are ignored.
            temporary = target.with_name(f".{target.name}.tmp")
            shutil.copyfile(source, temporary)
            temporary.replace(target)
            copied += 1
    marker.touch()
    return copied
