"""What the simulated sending services share: mails that were taken, and addresses that a service does not write to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from enrichment_assets.sandbox.exchange import Call, Charge, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.population import Population
from enrichment_assets.sandbox.providers.base import SimulatedProvider, no_such_path
from enrichment_assets.sandbox.seeded_random import hex_id


@dataclass(slots=True)
class Outbox:
    """Mails as their requests said them, and addresses that are on the service's list."""

    mails: list[dict[str, Any]] = field(default_factory=list)
    listed: set[str] = field(default_factory=set)


class SendingService(SimulatedProvider):
    """A service that takes mails at one path. `happen` with `list` puts an address on its list; `mails` shows mails."""

    price = Decimal("0.0008")
    path: ClassVar[str]

    def __init__(self) -> None:
        self.outbox = Outbox()

    def question(self, call: Call) -> Question:
        """A mail to be sent."""
        if call.method != "POST" or not self.is_path(call.path):
            raise no_such_path(call)
        told = call.fields()
        return Question("send", self.recipient(told), lambda: self._sent(call, told))

    def is_path(self, path: str) -> bool:
        """Whether mails are taken there."""
        return path == self.path

    def happen(self, population: Population, told: Mapping[str, Any]) -> Reply:
        """An address is put on the service's list (`list`); answers with the mails that were taken."""
        if told.get("list"):
            self.outbox.listed.add(str(told["list"]).lower())
        return json_reply(200, {"mails": self.outbox.mails})

    def recipient(self, told: Mapping[str, Any]) -> str:
        """Whom a mail goes to."""
        raise NotImplementedError

    def answered(self, call: Call, told: Mapping[str, Any], number: str) -> Reply:
        """The service's answer to a mail that it has taken; raises `Refusal` for one that it has not."""
        raise NotImplementedError

    def _sent(self, call: Call, told: dict[str, Any]) -> Reply:
        number = hex_id(call.population.seed, self.name, len(self.outbox.mails))
        reply = self.answered(call, told, number)
        self.outbox.mails.append(told)
        reply.charges = (Charge(self.recipient(told), Decimal(1)),)
        return reply


def needed(told: Mapping[str, Any], names: tuple[str, ...], refuse: Callable[[str], Reply]) -> None:
    """Raise `Refusal` where a mail lacks one of these."""
    for name in names:
        if not told.get(name):
            raise Refusal(refuse(name))
