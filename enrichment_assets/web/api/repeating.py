"""`Idempotency-Key`: a request that is sent again, because its answer was lost, is answered again and done once.

The key is kept before anything is done. So a process that dies in between leaves a key without an answer, and whoever
comes again with it is told that nobody knows: as with a provider's call, it is not done twice by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request

from enrichment_assets.domain.access import Caller
from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.store.access import repeated_requests as store
from enrichment_assets.store.hq import Hq
from enrichment_assets.web.api.errors import ApiError, invalid

HEADER = "idempotency-key"
REPEATED = "idempotency-replayed"
"""On an answer that was given before."""

_LONGEST = 200


def answered_once(
    hq: Hq, request: Request, caller: Caller | None, address: str, body: Mapping[str, Any], work: Callable[[], Any]
) -> tuple[Any, bool]:
    """The answer of `work`, as values that JSON has, and whether it is the one of an earlier request.

    Raises:
        ApiError: 422 where the key was sent with something else; 409 where nobody knows what became of it.
        EnrichError: As `work`: nothing is kept then, and the key can be sent again.
    """
    key = request.headers.get(HEADER)
    if key is None or caller is None or request.method != "POST":
        return work(), False
    if not (1 <= len(key) <= _LONGEST and key.isascii() and key.isprintable()):
        raise invalid(**{"Idempotency-Key": f"has to be 1 to {_LONGEST} printable ASCII characters"})
    name = hashlib.sha256(f"{caller.identity}\x1f{key}".encode()).digest()
    said = {name: _of_file(value) if isinstance(value, Path) else value for name, value in body.items()}
    asked = orjson.dumps([address, request.url.path, dict(request.query_params), said], option=orjson.OPT_SORT_KEYS)
    with hq.transaction() as connection:
        known = store.begin(connection, name, hashlib.sha256(asked).digest())
    if known is None:
        return _done(hq, name, work), False
    if not known.is_same:
        raise ApiError(
            "this Idempotency-Key was sent with something else",
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
            code="request.key_reused",
            hint="take a new key for each thing that is to be done",
        )
    if known.answer is None:
        raise ApiError(
            "a request with this Idempotency-Key is under way, or ended without an answer",
            status=HTTPStatus.CONFLICT,
            code="request.unfinished",
            hint="look whether it was done; if not, send it with a new key",
        )
    return orjson.loads(known.answer), True


# opens files of others: what a request sent, in a file of ours; only its digest is taken
def _of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _done(hq: Hq, name: bytes, work: Callable[[], Any]) -> Any:
    try:
        shown = work()
    except EnrichError:
        with hq.transaction() as connection:
            store.forget(connection, name)
        raise
    with hq.transaction() as connection:
        store.finish(connection, name, orjson.dumps(shown))
    return shown
