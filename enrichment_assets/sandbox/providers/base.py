"""What every simulated provider is: its credentials, its refusals and the question that a call asks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.limits import Room
from enrichment_assets.sandbox.population import Population


class SimulatedProvider(ABC):
    """One provider's HTTP contract. Subclasses say where they differ from an ordinary JSON API.

    Attributes:
        name: The path prefix, and the provider's name in the registry.
        price: Money for one unit, in US dollars; a setting can override it.
        documented_limits: Operation (or `*`) -> the limits that the vendor documents, per key.
        honours_idempotency: Whether the header `idempotency-key` makes a repeated call free.
        needs_key: Whether a call without a key is refused.
    """

    name: ClassVar[str]
    price: ClassVar[Decimal] = Decimal("0.01")
    documented_limits: ClassVar[Mapping[str, str]] = {}
    honours_idempotency: ClassVar[bool] = False
    needs_key: ClassVar[bool] = True

    @abstractmethod
    def question(self, call: Call) -> Question:
        """What the call asks; raises `Refusal` with the provider's own error for a call that cannot be answered."""

    def key(self, call: Call) -> str:
        """The API key (or whatever else names who pays)."""
        return bearer(call)

    def unauthorised(self, call: Call) -> Reply:
        """The answer to a missing or unknown key."""
        return json_reply(401, {"error": "unauthorized"})

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """The answer to a call over the rate, `retry_after` in seconds."""
        headers = {"retry-after": whole_seconds(retry_after)}
        return json_reply(429, {"error": "rate limit exceeded"}, headers=headers)

    def too_many_at_once(self, call: Call, operation: str) -> Reply:
        """The answer to a call over the concurrency limit."""
        return self.rate_limited(call, operation, 1.0)

    def exhausted(self, call: Call) -> Reply:
        """The answer when the key's quota is spent."""
        return json_reply(402, {"error": "no credits left"})

    def server_error(self, call: Call, status: int) -> Reply:
        """A 5xx of the provider, before any work."""
        return json_reply(status, {"error": "internal error"})

    def happen(self, population: Population, told: Mapping[str, Any]) -> Reply:
        """Something happens at this provider that no caller asked for: a person replies, a card is moved.

        Args:
            population: Of the sandbox.
            told: What happens, in words of the provider's own simulation.

        Raises:
            Refusal: Nothing can happen by itself here, or not that.
        """
        raise Refusal(json_reply(404, {"error": f"nothing happens by itself at {self.name}"}))

    def limit_headers(self, room: Room, call: Call, under_way: int) -> dict[str, str]:
        """Headers that tell what is left of the limits."""
        return {}


def bearer(call: Call) -> str:
    """The token of an `Authorization: Bearer` header, or an empty text."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def whole_seconds(seconds: float) -> str:
    """Seconds as a `retry-after` header wants them: whole, rounded up, at least 1."""
    return str(max(1, int(-(-seconds // 1))))


def no_such_path(call: Call) -> Refusal:
    """A 404 for a path that the provider does not have."""
    return Refusal(json_reply(404, {"error": f"no such path: {call.method} {call.path}"}))
