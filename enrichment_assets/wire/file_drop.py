"""Putting a file where its address says: a folder of this machine, or of a bucket.

Whoever looks into the folder sees a file whole or not at all. One that is there already has the same content, by which
it is named, and is left as it is. Answers are those of HTTP: 201 for a new file, 200 for one that was there.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from enrichment_assets.domain.errors import ConfigurationError, InfrastructureError
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.provider import Answer, RenderedRequest
from enrichment_assets.objects.bucket import Bucket, OvertakenError

SETTING = "FILE_DROP_FOLDER"
_NOT_OURS = (ConfigurationError, PermissionError, FileNotFoundError, FileExistsError, NotADirectoryError)
"""What no repetition mends: the folder, or who may write to it."""

_JSON = {"content-type": "application/json"}


def drop(request: RenderedRequest) -> Answer:
    """Put the request's content at its address (`file`, `s3` or `gs`); never raises for what the store says."""
    parts = urlsplit(request.url)
    content = request.content or b""
    try:
        if parts.scheme == "file":
            is_new = _into_folder(Path(unquote(parts.path)), content)
        else:
            is_new = _into_bucket(f"{parts.scheme}://{parts.netloc}", unquote(parts.path).lstrip("/"), content)
    except _NOT_OURS as error:
        return _answer(403, {"error": _told(error)})
    except (InfrastructureError, OSError) as error:
        return _answer(503, {"error": _told(error)})
    return _answer(201 if is_new else 200, {})


# opens files of others: a folder that the operator named; a new file is made beside the name and renamed onto it
def _into_folder(path: Path, content: bytes) -> bool:
    """Write beside it, then rename: the bytes are on the disk before the name is there."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o640)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return True


def _into_bucket(root: str, key: str, content: bytes) -> bool:
    try:
        Bucket.at(root, SETTING).swap(key, content, None)
    except OvertakenError:
        return False
    return True


def _answer(status: int, body: Mapping[str, str]) -> Answer:
    return Answer(status, _JSON, json_bytes(body))


def _told(error: Exception) -> str:
    """For people: which setting, and what is wrong with it; paths of this machine are no secret of anybody's."""
    if isinstance(error, ConfigurationError | InfrastructureError):
        return str(error)
    return (
        f"the folder of {SETTING} cannot be written to: {error.strerror or type(error).__name__}"
        if isinstance(error, OSError)
        else type(error).__name__
    )
