"""Asking an outside service what costs nothing: a question may be asked again, whatever became of it.

That is the difference to a call of the ledger: no intent is written, and a lost answer is asked for anew. What changes
something there (`Asker.tell`) is sent once, and says whether anybody knows what came of it.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.errors import EnrichError, MissingVariableError
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.patience import Retry
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest
from enrichment_assets.domain.statuses import ErrorClass
from enrichment_assets.engine.throttle.backoff import delay_before
from enrichment_assets.wire.secrets import SANDBOX_KEY, refuse_foreign_variable
from enrichment_assets.wire.transport import AnswerTooLarge, FateUnknown, NotSent, ProviderClient, send

LARGEST_PAGE = 16 * 1024 * 1024
"""Bytes of one answer. A page of a hundred campaigns with their mails is some hundred KB."""

ATTEMPTS = 5
LONGEST_WAIT = 60.0
"""Seconds that are waited for a service that asks for it; one that asks for more is asked another time."""

_TIMEOUT = 60.0
_RETRY = Retry(base=0.5, max=15.0)


class PullError(EnrichError):
    """A fetch was broken off. What was fetched is kept, and the next one goes on from there."""

    default_code = "pull.broken_off"


class TooMuchError(PullError):
    """A question is about more than the service answers at a time."""

    default_code = "pull.too_much"


class LostAnswerError(PullError):
    """It may have been done, or not: the answer was lost. The service has to be asked before it is told again."""

    default_code = "pull.answer_lost"


class GoneError(PullError):
    """What a question is about is not there any more."""

    default_code = "pull.gone"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: a client's key at a service, over one connection pool."""

    provider: Provider
    key: str
    client: ProviderClient

    async def ask(self, request: str, body: Any = None) -> Answer:
        """The answer to a question. What may pass is asked again a few times.

        Args:
            request: Path and query.
            body: JSON, for a service that takes questions by POST; None: it is a GET.

        Raises:
            PullError: It is refused (key, scope, plan), or does not come.
        """
        trouble, asked_to_wait = "", 0.0
        for attempt in range(1, ATTEMPTS + 1):
            if attempt > 1:
                await asyncio.sleep(delay_before(attempt, _RETRY, asked_to_wait))
            try:
                answer = await self._send("GET" if body is None else "POST", request, body)
            except AnswerTooLarge:
                raise TooMuchError(f"{_place(request)}: the answer is larger than {LARGEST_PAGE} bytes") from None
            except (NotSent, FateUnknown) as error:
                trouble, asked_to_wait = f"no answer came ({error})", 0.0
                continue
            verdict = self.provider.classify("pull", answer)
            if answer.status == 413:
                raise TooMuchError(f"{_place(request)}: {verdict.message}")
            if answer.status == 404:
                raise GoneError(f"{_place(request)}: {verdict.message}")
            if verdict.error is None:
                return answer
            trouble, asked_to_wait = verdict.message, verdict.retry_after or 0.0
            if verdict.error is not ErrorClass.RETRYABLE or asked_to_wait > LONGEST_WAIT:
                break
        raise PullError(f"{_place(request)}: {trouble}")

    async def tell(self, method: str, request: str, body: Any) -> Answer:
        """Have something changed there. Only what surely never left, or was turned away unread (429), is sent again.

        Args:
            method: POST, PATCH or DELETE.
            request: Path and query.
            body: JSON; an empty object where the service wants nothing.

        Raises:
            LostAnswerError: It left, and nobody knows what came of it; a 5xx is such an answer.
            GoneError: What it is about is not there.
            PullError: It is refused, or could not be sent; nothing was changed.
        """
        trouble, asked_to_wait = "", 0.0
        for attempt in range(1, ATTEMPTS + 1):
            if attempt > 1:
                await asyncio.sleep(delay_before(attempt, _RETRY, asked_to_wait))
            try:
                answer = await self._send(method, request, body)
            except NotSent as error:
                trouble, asked_to_wait = f"it could not be sent ({error})", 0.0
                continue
            except (FateUnknown, AnswerTooLarge) as error:
                raise LostAnswerError(f"{_place(request)}: the answer was lost ({error})") from None
            verdict = self.provider.classify("pull", answer)
            if answer.status >= 500:
                raise LostAnswerError(f"{_place(request)}: {verdict.message}")
            if answer.status == 404:
                raise GoneError(f"{_place(request)}: {verdict.message}")
            if verdict.error is None:
                return answer
            trouble, asked_to_wait = verdict.message, verdict.retry_after or 0.0
            if verdict.error is not ErrorClass.RETRYABLE or asked_to_wait > LONGEST_WAIT:
                break
        raise PullError(f"{_place(request)}: {trouble}")

    async def _send(self, method: str, request: str, body: Any) -> Answer:
        content = None if body is None else json_bytes(body)
        headers = {} if body is None else {"content-type": "application/json"}
        rendered = RenderedRequest(method, request, headers, content=content)
        asked = self.provider.authorise(rendered, {"api_key": self.key}, self.provider.base_url)
        return await send(self.client, asked, _TIMEOUT, max_answer=LARGEST_PAGE)


def key_of(variable: str, *, simulated: bool) -> str:
    """The key that a variable holds; in the simulator one that is not set is the literal key `sandbox`.

    Raises:
        ConfigurationError: The variable may not be used as a key.
        MissingVariableError: It is not set.
    """
    refuse_foreign_variable("api_key", variable)
    key = os.environ.get(variable, "")
    if not key and not simulated:
        raise MissingVariableError(f"the environment variable {variable} is not set", variable)
    return key or SANDBOX_KEY


def _place(request: str) -> str:
    """What was asked, without what it was about: that may be people's addresses."""
    return request.partition("?")[0]
