"""Asking ClickUp outside a batch: with the token of a connection or a delivery, over the wire that calls use.

Questions cost nothing and may be repeated. What changes something there (a webhook) says the same twice.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.domain.http_answers import object_of
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.patience import Retry
from enrichment_assets.domain.provider import Provider, RenderedRequest
from enrichment_assets.domain.statuses import ErrorClass
from enrichment_assets.engine.throttle.backoff import delay_before
from enrichment_assets.providers import build_providers
from enrichment_assets.providers.clickup import ClickUp, code_of
from enrichment_assets.settings import Settings
from enrichment_assets.wire.secrets import SANDBOX_KEY, refuse_foreign_variable
from enrichment_assets.wire.transport import AnswerTooLarge, FateUnknown, NotSent, ProviderClient, build_client, send

NAME = "clickup"
ATTEMPTS = 4
LONGEST_WAIT = 61.0
"""Seconds; the documented window of the rate limit, and one more."""

_LARGEST = 16 * 1024 * 1024
_TIMEOUT = 60.0
_RETRY = Retry(base=0.5, max=15.0)


class ClickUpError(EnrichError):
    """ClickUp was asked, and refused or did not answer. `ecode`: its own code, where it gave one."""

    default_code = "clickup.refused"

    def __init__(self, message: str, ecode: str = "", *, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.ecode = ecode


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: a token, over one connection pool."""

    provider: Provider
    token: str
    client: ProviderClient

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """The answer to a question; raises `ClickUpError`."""
        return await self.ask("GET", path, query=query)

    async def ask(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """Send a request below `/api/v2` and return the JSON object of its answer.

        Raises:
            ClickUpError: It is refused, or no answer comes; names the path and ClickUp's code, never the token.
        """
        trouble, ecode, wait = "", "", 0.0
        headers = {} if body is None else {"content-type": "application/json"}
        content = None if body is None else json_bytes(body)
        for attempt in range(1, ATTEMPTS + 1):
            if attempt > 1:
                await asyncio.sleep(delay_before(attempt, _RETRY, wait))
            request = RenderedRequest(method, f"/api/v2{path}", headers, dict(query or {}), content)
            sent = self.provider.authorise(request, {"api_key": self.token}, self.provider.base_url)
            try:
                answer = await send(self.client, sent, _TIMEOUT, max_answer=_LARGEST)
            except AnswerTooLarge:
                raise ClickUpError(
                    f"{method} {path}: the answer is larger than {_LARGEST} bytes", code="clickup.answer_large"
                ) from None
            except (NotSent, FateUnknown) as error:
                trouble, wait = f"no answer came ({error})", 0.0
                continue
            verdict = self.provider.classify("ask", answer)
            if verdict.error is None and not verdict.not_found:
                return object_of(answer)
            trouble, ecode, wait = verdict.message, code_of(answer), verdict.retry_after or 0.0
            if verdict.error is not ErrorClass.RETRYABLE or wait > LONGEST_WAIT:
                break
        raise ClickUpError(f"{method} {path}: {trouble}", ecode, code="clickup.refused")


def token_variable(told: Mapping[str, Any]) -> str:
    """NAME of the variable with the token, by settings of a connection or parameters of a delivery."""
    return str(told.get("token_variable") or ClickUp.default_variables()["api_key"])


@asynccontextmanager
async def asking(settings: Settings, variable: str) -> AsyncIterator[Asker]:
    """An asker with the token that a variable holds; in the simulator one that is not set is the key `sandbox`.

    Raises:
        ConfigurationError: The variable may not be used as a key.
        ClickUpError: It is not set.
    """
    refuse_foreign_variable("api_key", variable)
    token = os.environ.get(variable, "") or (SANDBOX_KEY if settings.sandbox_url else "")
    if not token:
        raise ClickUpError(f"the environment variable {variable} is not set", code="clickup.token_missing")
    async with build_client(4, only_below=settings.sandbox_url) as client:
        yield Asker(build_providers(settings.sandbox_url)[NAME], token, client)
