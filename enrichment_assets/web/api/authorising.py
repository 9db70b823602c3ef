"""Whether a caller may, and for which client: asked before any service is called, of routes and of pages alike."""

from __future__ import annotations

from http import HTTPStatus

from enrichment_assets.domain.access import Caller, Permission
from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.services.batches.status import batch_row
from enrichment_assets.services.catalog.configuration import get_client
from enrichment_assets.services.uploads.upload import get_upload
from enrichment_assets.store.hq import Hq
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import ApiError, forbidden
from enrichment_assets.web.api.route_types import ClientBy, Whoever


def authorised(needs: Permission | Whoever, by: ClientBy, caller: Caller, call: Call) -> str | None:
    """The client whom a request concerns; None: all, or none.

    Args:
        needs: The permission that it takes.
        by: By what its client is known.
        caller: Who asks.
        call: The request.

    Raises:
        NotFoundError: What it concerns is not there, or the caller does not see it: in the same words.
        ApiError: 403 where the caller may not; 422 where a client has to be named.
    """
    if isinstance(needs, Whoever):
        return None
    client = None
    match by:
        case ClientBy.BATCH:
            client = _client_of_batch(call.hq, caller, call.path["batch"])
        case ClientBy.UPLOAD:
            client = _client_of_upload(call.hq, caller, call.path["upload"])
        case ClientBy.PATH:
            client = call.path["client"]
            _see_client(call.hq, caller, client)
        case ClientBy.QUERY | ClientBy.BODY:
            said = (call.query if by is ClientBy.QUERY else call.body).get("client")
            client = said if isinstance(said, str) and said else None
            if client is not None:
                _see_client(call.hq, caller, client)
            elif by is ClientBy.BODY or not caller.may(needs, None):
                client = _only_client(needs, caller)
        case ClientBy.NOTHING:
            pass
    if not caller.may(needs, client):
        raise forbidden(needs.value)
    return client


def _only_client(needs: Permission, caller: Caller) -> str:
    only = caller.only_client(needs)
    if only is not None:
        return only
    if not any(needs in grant.permissions for grant in caller.grants):
        raise forbidden(needs.value)
    raise ApiError(
        "say which client",
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        code="request.client_missing",
        hint=f"one of: {', '.join(sorted(caller.clients() or ()))}",
        fields={"client": "is missing"},
    )


def _client_of_batch(hq: Hq, caller: Caller, batch: str) -> str:
    """The batch's client, where the caller sees it; else the batch is not there, whether it is or not."""
    try:
        client = None if "\x00" in batch else batch_row(hq, batch).client
    except NotFoundError:
        client = None
    if client is None or not caller.sees(client):
        raise NotFoundError(f"there is no batch {batch[:200]!r}", code="batch.not_found") from None
    return client


def _client_of_upload(hq: Hq, caller: Caller, upload: str) -> str:
    """The upload's client, in the same way."""
    is_number = upload.isascii() and upload.isdecimal() and len(upload) < 19
    try:
        client = get_upload(hq, int(upload)).client if is_number else None
    except NotFoundError:
        client = None
    if client is None or not caller.sees(client):
        raise NotFoundError(f"there is no upload {upload[:200]!r}", code="upload.not_found") from None
    return client


def _see_client(hq: Hq, caller: Caller, client: str) -> None:
    try:
        found = get_client(hq, client).slug if "\x00" not in client and caller.sees(client) else None
    except NotFoundError:
        found = None
    if found is None:
        raise NotFoundError(f"there is no client {client[:200]!r}", code="client.not_found") from None
