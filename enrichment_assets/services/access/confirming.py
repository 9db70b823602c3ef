"""What an assistant wants to do is done when a person has confirmed exactly that, at the console, and once.

An ask is signed text: what is to be done, with what, for whom. The person's confirmation is signed text that names the
ask by its hash, and the person. Nothing of either is kept until it is used; then its hash is, so that it counts once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from enrichment_assets.domain.access import Permission
from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.services.access.signing import Signing
from enrichment_assets.store.access import repeated_requests
from enrichment_assets.store.hq import Hq

ASK_MINUTES, CONFIRMED_MINUTES = 60, 10
_ASK, _CONFIRMED = "ask", "confirmation"


class Action(StrEnum):
    """What an assistant may ask for that spends or leaves."""

    LAUNCH = "launch"
    DELIVER = "deliver"
    DECIDE = "decide"
    RETRY = "retry"
    ASK = "ask"


NEEDS: Mapping[Action, Permission] = {
    Action.LAUNCH: Permission.BATCHES_LAUNCH,
    Action.DELIVER: Permission.DELIVERIES_SEND,
    Action.DECIDE: Permission.REVIEWS_DECIDE,
    Action.RETRY: Permission.BATCHES_CONTROL,
    Action.ASK: Permission.BATCHES_CONTROL,
}
"""What it takes to confirm it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be done.

    Attributes:
        action: What.
        client: For whom.
        arguments: With what; plain values of JSON.
        says: The same in words, for the person.
    """

    action: Action
    client: str
    arguments: Mapping[str, Any]
    says: str

    @property
    def digest(self) -> str:
        """What a confirmation names: another client, argument or action is another one."""
        said = orjson.dumps([self.action, self.client, dict(self.arguments)], option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(said).hexdigest()


def asked(signing: Signing, ask: Ask) -> str:
    """An ask as text, for the console."""
    return signing.seal_text(_ASK, [ask.action.value, ask.client, dict(ask.arguments), ask.says])


def read_ask(signing: Signing, text: str) -> Ask:
    """The ask of a text. Raises `ConfigurationError` where none of ours says so, or it is older than an hour."""
    found = signing.unseal_text(_ASK, text, ASK_MINUTES * 60)
    if found is None:
        raise ConfigurationError("nothing is asked there, or it was too long ago", code="confirmation.no_ask")
    action, client, arguments, says = found
    return Ask(Action(action), client, arguments, says)


def confirm(signing: Signing, ask: Ask, login: str) -> str:
    """A person's word for exactly this, as text that counts once and for ten minutes."""
    return signing.seal_text(_CONFIRMED, [ask.digest, login])


def use(hq: Hq, signing: Signing, ask: Ask, confirmation: str) -> Actor:
    """Who confirmed this; from now on the confirmation counts no more.

    Raises:
        ConfigurationError: It is of something else, too old, or was used before.
    """
    found = signing.unseal_text(_CONFIRMED, confirmation.strip(), CONFIRMED_MINUTES * 60)
    if found is None or found[0] != ask.digest:
        raise ConfigurationError(
            "nobody has confirmed exactly this, or it was more than ten minutes ago", code="confirmation.not_this"
        )
    name = hashlib.sha256(confirmation.strip().encode()).digest()
    with hq.transaction() as connection:
        used = repeated_requests.begin(connection, name, name)
        repeated_requests.finish(connection, name, b"{}")
    if used is not None:
        raise ConfigurationError("that confirmation was used before", code="confirmation.used")
    return Actor(ActorKind.USER, found[1])
