"""A client's workspace at Instantly: asked and told with the key that the client is connected with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.jsontext import parse_json
from enrichment_assets.domain.provider import Answer
from enrichment_assets.providers import build_providers
from enrichment_assets.services.pulls.asking import Asker, key_of
from enrichment_assets.services.pulls.connecting import list_connected
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.pulls.connections import Connected
from enrichment_assets.wire.transport import build_client

INSTANTLY = "instantly"
PAGE = 100
"""Items of a page, the most that it gives."""

_CONNECTIONS = 4
_T = TypeVar("_T")


class Workspace:
    """What of Instantly's API a client's campaigns need. Each method raises `PullError` as `Asker` says."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    async def campaign_named(self, name: str) -> dict[str, Any] | None:
        """The campaign of exactly that name; of several, as somebody may have copied it, the oldest."""
        found = [one async for one in self.pages("/api/v2/campaigns", {"search": name}) if one.get("name") == name]
        return found[-1] if found else None

    async def campaign(self, external_id: str) -> dict[str, Any]:
        """One campaign."""
        return _object(await self._asker.ask(_campaign(external_id)))

    async def sending_status(self, external_id: str) -> str | None:
        """Why it does not send, or `healthy`: in `diagnostics` while it is active, else in `summary`."""
        said = _object(await self._asker.ask(f"{_campaign(external_id)}/sending-status"))
        parts = [said.get("diagnostics"), said.get("summary")]
        found = [part.get("status") for part in parts if isinstance(part, dict) and part.get("status")]
        return str(found[0]) if found else None

    async def create_campaign(self, body: dict[str, Any]) -> dict[str, Any]:
        """A new draft."""
        return _object(await self._asker.tell("POST", "/api/v2/campaigns", body))

    async def change_campaign(self, external_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Other settings; lists are replaced."""
        return _object(await self._asker.tell("PATCH", _campaign(external_id), body))

    async def activate(self, external_id: str) -> dict[str, Any]:
        """It sends from now on."""
        return _object(await self._asker.tell("POST", f"{_campaign(external_id)}/activate", {}))

    async def pages(self, path: str, query: dict[str, str]) -> AsyncIterator[dict[str, Any]]:
        """Every item of a list that is asked for by GET. A page without items is the last."""
        after: str | None = None
        while True:
            asked = {"limit": str(PAGE), **query, **({} if after is None else {"starting_after": after})}
            said = _object(await self._asker.ask(f"{path}?{urlencode(asked)}"))
            for item in _items(said):
                yield item
            after = _next(said, after)
            if after is None:
                return

    async def leads(self, body: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Every lead that a body asks for (`campaign`, `search`); a page without items is the last."""
        after: str | None = None
        while True:
            asked = {"limit": PAGE, **body, **({} if after is None else {"starting_after": after})}
            said = _object(await self._asker.ask("/api/v2/leads/list", asked))
            for item in _items(said):
                yield item
            after = _next(said, after)
            if after is None:
                return

    async def tell(self, method: str, path: str, body: Any) -> dict[str, Any]:
        """Anything else that changes something."""
        return _object(await self._asker.tell(method, path, body))


def in_workspace(
    hq: Hq, settings: Settings, client: str, work: Callable[[Workspace], Awaitable[_T]], *, of: Connected | None = None
) -> _T:
    """Do something in a client's workspace at Instantly.

    Args:
        hq: The databases; no connection is held while Instantly is asked.
        settings: The installation.
        client: Whose workspace.
        work: What is done.
        of: How the client is connected, where that is known.

    Raises:
        NotFoundError: There is no such client, or it is not connected.
        MissingVariableError: The variable with its key is not set.
        PullError: Instantly refuses, or does not answer.
    """
    whom = of or next(iter(list_connected(hq, INSTANTLY, client=client)))
    key = key_of(whom.secret_variable, simulated=settings.sandbox_url is not None)
    return asyncio.run(_work(settings, key, work))


async def _work(settings: Settings, key: str, work: Callable[[Workspace], Awaitable[_T]]) -> _T:
    provider = build_providers(settings.sandbox_url)[INSTANTLY]
    async with build_client(_CONNECTIONS, only_below=settings.sandbox_url) as client:
        return await work(Workspace(Asker(provider, key, client)))


def _campaign(external_id: str) -> str:
    return f"/api/v2/campaigns/{quote(external_id, safe='')}"


def _object(answer: Answer) -> dict[str, Any]:
    try:
        found = parse_json(answer.body)
    except ValueError as error:
        raise ContractError(f"Instantly's answer is no JSON: {error}", code="pull.not_as_agreed") from None
    if not isinstance(found, dict):
        raise ContractError("Instantly's answer is no object", code="pull.not_as_agreed")
    return found


def _items(said: dict[str, Any]) -> list[dict[str, Any]]:
    items = said.get("items")
    return [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []


def _next(said: dict[str, Any], before: str | None) -> str | None:
    """The cursor of the next page; None: this one was the last, or the cursor goes round in a circle."""
    after = said.get("next_starting_after")
    return str(after) if _items(said) and after and after != before else None
