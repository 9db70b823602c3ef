"""Who changes something: a person at a command line, a schedule, a sensor; later users and API keys.

Written `kind:name`, as in `cli:ada` and `sensor:inbox`: so it stands in HQ (`operator_actions.actor`), in JSON and in
the command line's options.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from enrichment_assets.domain.errors import ConfigurationError

LONGEST_NAME = 128


class ActorKind(StrEnum):
    """What an actor is."""

    CLI = "cli"
    """A login at a command line."""
    SCHEDULE = "schedule"
    """A schedule of Dagster's."""
    SENSOR = "sensor"
    """A sensor of Dagster's."""
    DAGSTER = "dagster"
    """Somebody at Dagster's pages, or the engine for a batch: who names what was done (`terminate`, `guard`)."""
    PROVIDER = "provider"
    """A provider that may not process somebody."""
    USER = "user"
    """Somebody who has logged in."""
    API_KEY = "api-key"
    """A key of the HTTP API, by its name."""
    EVENT = "event"
    """What came back of a delivery, by the name of the connection that brought it."""
    SQL = "sql"
    """A role of Postgres that wrote to a view of ours."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something.

    Attributes:
        kind: What it is.
        name: Its login or name: at most 128 printable characters, none of them a blank at an end.

    Raises:
        ConfigurationError: The name is none.
    """

    kind: ActorKind
    name: str

    def __post_init__(self) -> None:
        if not is_name(self.name):
            raise ConfigurationError(
                f"an actor's name has 1 to {LONGEST_NAME} printable characters, and no blank at its ends",
                code="actor.invalid",
            )

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.name}"

    @classmethod
    def parse(cls, text: str) -> Actor:
        """`cli:ada` as an actor. Raises `ConfigurationError` for what is none."""
        kind, colon, name = text.partition(":")
        if not colon or kind not in set(ActorKind):
            known = ", ".join(one.value for one in ActorKind)
            raise ConfigurationError(
                f"{text[:LONGEST_NAME]!r} is no actor: write kind:name, the kind one of {known}", code="actor.invalid"
            )
        return cls(ActorKind(kind), name)


def is_name(text: str) -> bool:
    """Whether an actor may be called so."""
    return 0 < len(text) <= LONGEST_NAME and text.isprintable() and text == text.strip()


def name_from(text: str) -> str:
    """A login as an actor's name: what cannot be in one is `?`, what is too long is cut."""
    shown = "".join(character if character.isprintable() else "?" for character in text).strip()
    return shown[:LONGEST_NAME].rstrip() or "?"
