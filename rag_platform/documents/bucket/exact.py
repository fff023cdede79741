"""The listing of an S3 bucket in which a key is no path: obstore cannot list it.

Slower than obstore's, so it is asked only where that one failed.
"""

import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import botocore.exceptions
import botocore.session
from botocore.config import Config

from rag_platform.documents.bucket.objects import BucketObject
from rag_platform.errors import BucketUnavailable

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def list_exactly(
    url: str, prefix: str, deep: bool, skipped: dict[str, str]
) -> Iterator[BucketObject]:
    """The objects under a prefix; notes in ``skipped`` why others are left out.

    Raises :class:`BucketUnavailable`.
    """
    parts = urlsplit(url)
    root = _folder(unquote(parts.path))
    request: dict[str, Any] = {"Bucket": parts.netloc, "Prefix": root + _folder(prefix)}
    if not deep:
        request["Delimiter"] = "/"
    try:
        for page in _client().get_paginator("list_objects_v2").paginate(**request):
            for item in page.get("Contents", ()):
                key = item["Key"].removeprefix(root)
                if not (reason := _no_path(key)):
                    yield BucketObject(
                        key,
                        item["Size"],
                        item["LastModified"].replace(microsecond=0),
                        item["ETag"].strip('"'),
                    )
                elif item["Size"] or not key.endswith("/"):
                    skipped[key] = reason
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise BucketUnavailable(
            f"Cannot list the bucket {url}, in which the name of an object is no path: {error}."
        ) from error


def _client() -> Any:
    """A client with the same environment that obstore reads."""
    unsigned = os.environ.get("AWS_SKIP_SIGNATURE", "").lower() in ("1", "true")
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT") or None
    hosted = os.environ.get("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "").lower() in ("1", "true")
    return botocore.session.get_session().create_client(
        "s3",
        endpoint_url=os.environ.get("AWS_ENDPOINT_URL_S3") or endpoint,
        region_name=os.environ.get("AWS_REGION")
        or os.environ.get("AWS_DEFAULT_REGION")
        or "us-east-1",
        config=Config(
            connect_timeout=5,
            read_timeout=60,
            retries={"max_attempts": 3},
            signature_version=botocore.UNSIGNED if unsigned else None,
            s3={"addressing_style": "virtual" if hosted else "path"},
        ),
    )


def _folder(path: str) -> str:
    return f"{path.strip('/')}/" if path.strip("/") else ""


def _no_path(key: str) -> str:
    """Why a key cannot be a document's; empty if it can."""
    if key.startswith("/") or "//" in key:
        return "A folder in its name is empty."
    if key.endswith("/"):
        return "Its name ends with a slash."
    if any(part in (".", "..") for part in key.split("/")):
        return "A folder in its name is a dot or two."
    return "Its name has a control character." if _CONTROL.search(key) else ""
