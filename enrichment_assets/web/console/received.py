"""What a page sends: the fields of a form, or a file, which goes to a place of its own while it comes in."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from enrichment_assets.settings import Settings
from enrichment_assets.web.api.errors import ApiError
from enrichment_assets.web.origin_guard import FILE

MOST_BYTES = 2 * 1024**3
"""Of a file that a browser sends; a larger one is uploaded at the command line, or laid into the inbox folder."""

PATH = "file"
"""Under which name the handler finds where the file lies."""

_MOST_FIELDS = 2_000


@asynccontextmanager
async def received(request: Request, settings: Settings, *, takes_file: bool) -> AsyncIterator[Mapping[str, Any]]:
    """What was sent, while it is handled: field -> text (or texts, where it came several times); `PATH` -> a file.

    Raises:
        ApiError: 400 for a form that is none; 413 for a file that is too large; 415 where the other of both is taken.
    """
    if request.method != "POST":
        yield {}
        return
    is_file = request.headers.get("content-type", "").partition(";")[0].strip().lower() == FILE
    if is_file is not takes_file:
        raise ApiError(
            f"this takes {'a file' if takes_file else 'a form'}",
            status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            code="request.media_type",
        )
    if is_file:
        with tempfile.NamedTemporaryFile(dir=_incoming(settings), prefix="incoming-") as file:
            size = 0
            async for chunk in request.stream():
                size += len(chunk)
                if size > MOST_BYTES:
                    raise ApiError(
                        f"the file has more than {MOST_BYTES // 1024**3} GiB",
                        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                        code="request.too_large",
                        hint="cut it into several, or lay it into the inbox folder of the home",
                    )
                file.write(chunk)
            file.flush()
            yield {PATH: Path(file.name)}
    else:
        yield fields_of(await request.body())


def fields_of(body: bytes) -> dict[str, Any]:
    """The fields of a form (`application/x-www-form-urlencoded`). Raises the 400 of what is none."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, strict_parsing=bool(body))
    except ValueError:
        raise ApiError("the form cannot be read", status=HTTPStatus.BAD_REQUEST, code="request.not_a_form") from None
    fields: dict[str, Any] = {}
    for name, value in pairs:
        before = fields.get(name)
        fields[name] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
    return fields


def _incoming(settings: Settings) -> Path:
    folder = settings.home / "incoming"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
