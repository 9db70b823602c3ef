"""The one shape of errors: `{"code", "message", "hint", "fields"}`, and which HTTP status an error of a service is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from enrichment_assets.domain.errors import ConfigurationError, EnrichError, InfrastructureError, NotFoundError
from enrichment_assets.domain.hints import Hint
from enrichment_assets.domain.versions import ChangedMeanwhileError
from enrichment_assets.services.access.errors import CodeNeededError, LoginRefusedError, TooOftenError

NO_STORE = {"cache-control": "no-store"}
"""On every answer: what is read here is persons' data."""

_STATUS: Sequence[tuple[type[EnrichError], HTTPStatus]] = (
    (ChangedMeanwhileError, HTTPStatus.PRECONDITION_FAILED),
    (TooOftenError, HTTPStatus.TOO_MANY_REQUESTS),
    (LoginRefusedError, HTTPStatus.UNAUTHORIZED),
    (CodeNeededError, HTTPStatus.UNAUTHORIZED),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (ConfigurationError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (InfrastructureError, HTTPStatus.SERVICE_UNAVAILABLE),
    (EnrichError, HTTPStatus.CONFLICT),
)


class ApiError(EnrichError):
    """A request that is refused before any service is called.

    Attributes:
        status: Of HTTP.
        hint: What helps, as a sentence.
        fields: Name of a field or parameter -> what is wrong with it.
    """

    def __init__(
        self,
        what: str,
        *,
        status: HTTPStatus,
        code: str,
        hint: str | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(what, code=code)
        self.status = status
        self.hint = hint
        self.fields = dict(fields or {})


def unauthenticated() -> ApiError:
    """Nobody is known by what was sent; it is not said whether there was such a key, or is no more."""
    return ApiError(
        "who asks is not known",
        status=HTTPStatus.UNAUTHORIZED,
        code="access.unauthenticated",
        hint="send an API key as `Authorization: Bearer ...`, or log in",
    )


def invalid(**fields: str) -> ApiError:
    """What was sent is not as it has to be: field -> what is wrong with it."""
    return ApiError(
        f"not as it has to be: {', '.join(fields)}",
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        code="request.invalid",
        fields=fields,
    )


def forbidden(permission: str) -> ApiError:
    """They are known, and may not."""
    return ApiError(f"this takes the permission {permission}", status=HTTPStatus.FORBIDDEN, code="access.forbidden")


def worded(hint: Hint) -> str:
    """A hint as a phrase that names no command: `list batches of: acme`."""
    named = ", ".join(hint.arguments.values())
    return hint.action.value.replace("_", " ") + (f": {named}" if named else "")


def status_of(error: EnrichError) -> HTTPStatus:
    """The status of HTTP that an error of ours is."""
    if isinstance(error, ApiError):
        return error.status
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def answer_of(error: EnrichError) -> JSONResponse:
    """The answer to an error of ours."""
    headers = dict(NO_STORE)
    hint = "; ".join(map(worded, error.hints)) or None
    fields: Mapping[str, str] = {}
    status = status_of(error)
    if isinstance(error, ApiError):
        hint, fields = error.hint, error.fields
    if status is HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, TooOftenError):
        headers["retry-after"] = str(max(1, math.ceil(error.seconds)))
    if isinstance(error, ChangedMeanwhileError):
        hint = "look at it as it is now, and change that"
    body = {"code": error.code, "message": error.what, "hint": hint, "fields": dict(fields)}
    return JSONResponse(body, status, headers=headers)


async def of_starlette(_request: Any, error: Exception) -> JSONResponse:
    """What Starlette refuses by itself: no such path, another method."""
    status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
    code = {HTTPStatus.NOT_FOUND: "route.not_found", HTTPStatus.METHOD_NOT_ALLOWED: "route.method"}.get(status, "route")
    extra = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    body = {"code": code, "message": status.phrase.lower(), "hint": None}
    return JSONResponse(body | {"fields": {}}, status, headers=extra | NO_STORE)


async def of_a_fault(_request: Any, _error: Exception) -> JSONResponse:
    """A fault of ours: nothing of it is told."""
    body = {"code": "server.fault", "message": "the server failed; nothing is known to have changed", "hint": None}
    return JSONResponse(body | {"fields": {}}, HTTPStatus.INTERNAL_SERVER_ERROR, headers=NO_STORE)
