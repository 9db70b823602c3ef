"""How often one address, one call's address and one guesser may come.

Tokens are not to be guessed (192 bits and more); what guessing could do is to keep the receiver busy. So whoever sends
many tokens that name no call is asked for the token alone from then on, and its body is not read. A call's own
callbacks pass all the same: a stranger behind the same proxy, or at the same provider, does not lock them out.
"""

from __future__ import annotations

import math

from starlette.types import Message, Scope

from enrichment_assets.domain.callers import caller_of, trusted_networks
from enrichment_assets.domain.pace import Pace
from enrichment_assets.receiver.limits import ReceiverLimits
from enrichment_assets.receiver.replies import Reply

_LONGEST_WAIT = 3600


class Paces:
    """The paces of one receiver process, and whom a request is counted for."""

    def __init__(self, limits: ReceiverLimits, trusted_proxies: tuple[str, ...] = ()) -> None:
        """Raises `ConfigurationError` where `trusted_proxies` names what is no address or network."""
        self._trusted = trusted_networks(trusted_proxies)
        self._addresses = Pace(limits.address_per_second, limits.address_burst)
        self._tokens = Pace(limits.token_per_second, limits.token_burst)
        self._guesses = Pace(limits.guesses_per_second, limits.guesses_burst)

    def caller(self, scope: Scope) -> str:
        """Whom a request is counted for."""
        peer = scope.get("client")
        forwarded = (
            [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
            if self._trusted
            else []
        )
        return caller_of(peer[0] if peer else None, forwarded, self._trusted)

    def of_caller(self, caller: str) -> float:
        """Count a request of an address: 0, or the seconds after which it may come again."""
        return self._addresses.take(caller)

    def of_token(self, token: str) -> float:
        """Count a request to a call's address, likewise."""
        return self._tokens.take(token)

    def guessed(self, caller: str) -> None:
        """Count a token that named no call."""
        self._guesses.take(caller)

    def has_guessed(self, caller: str) -> float:
        """0, or the seconds for which the tokens of an address are looked up before its bodies are read."""
        return self._guesses.wait(caller)


def too_often(seconds: float) -> tuple[Message, Message]:
    """The early 429 that says when to come again."""
    after = min(max(math.ceil(seconds), 1), _LONGEST_WAIT)
    return Reply(429, "too many requests", ((b"retry-after", b"%d" % after),), early=True).messages()
