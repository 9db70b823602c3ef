"""A client whose server is the sandbox: events are put into the outbox, sent, and looked at where they arrived."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.request import Request, urlopen

import psycopg
import pytest

from enrichment_assets.installation.databases import open_hq
from enrichment_assets.sandbox import SandboxProcess, SandboxSettings
from enrichment_assets.services.catalog.configuration import add_client
from enrichment_assets.services.outgoing.registering import add_webhook
from enrichment_assets.services.outgoing.sending import Delivery, deliver
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from tests.actors import TESTER

VARIABLE = "TEST_HOOK_SECRET"
NO_FAULTS = json.dumps({"errors": 0, "resets": 0, "rate_limited": 0, "timeouts": 0, "latency": "0"})
EVENTS = ("batch.paused", "lead.ready", "lead.changed")


@dataclass
class Desk:
    """An installation with the client `acme`."""

    settings: Settings
    hq: Hq
    connection: psycopg.Connection[dict[str, Any]]
    sandbox: SandboxProcess

    def add(self, name: str = "crm", *, client: str = "acme", path: str | None = None, **options: Any) -> None:
        """A webhook that leads to the sandbox."""
        url = f"{self.sandbox.url}/webhooks/{path or name}"
        events = options.pop("events", EVENTS)
        add_webhook(self.hq, self.settings, client, name, url, events, VARIABLE, actor=TESTER, **options)

    def event(self, kind: str = "batch.paused", *, client: str = "acme", item: int | None = None, **data: Any) -> None:
        """Something that happened."""
        self.connection.execute(
            "insert into outgoing_events (client_id, batch_id, item_id, type, data, bytes) "
            "select id, 1, %s, %s, %s, %s from clients where slug = %s",
            (item, kind, json.dumps(data), len(json.dumps(data)), client),
        )
        self.connection.commit()

    def send(self, seconds: float = 5.0) -> Delivery:
        """One tick."""
        return deliver(self.hq, self.settings, seconds)

    def taken(self, path: str = "crm") -> list[dict[str, Any]]:
        """What the receiver has taken."""
        request = Request(f"{self.sandbox.url}/webhooks/{path}", headers={"x-sandbox-faults": NO_FAULTS})
        with urlopen(request, timeout=30) as answer:
            found: list[dict[str, Any]] = json.loads(answer.read())["messages"]
        return found

    def faulty(self, **behaviour: Any) -> None:
        """Give the receiver faults; without any it has none."""
        self.sandbox.configure(providers={"webhooks": behaviour or None})

    def rows(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        """Rows as they are now."""
        found = self.connection.execute(query, parameters).fetchall()
        self.connection.rollback()
        return found

    def change(self, query: str, *parameters: Any) -> None:
        """Let time pass, or something be otherwise."""
        self.connection.execute(query, parameters)
        self.connection.commit()

    def due(self) -> None:
        """Let every message be due."""
        self.change("update outgoing_messages set due_at = now() - interval '1 second' where state = 'waiting'")

    def message(self) -> dict[str, Any]:
        """The only message."""
        (row,) = self.rows("select * from outgoing_messages")
        return row

    def webhook(self, name: str = "crm") -> dict[str, Any]:
        """A webhook's row."""
        (row,) = self.rows("select * from outgoing_webhooks where name = %s", name)
        return row


@pytest.fixture
def desk(
    settings: Settings,
    hq: psycopg.Connection[dict[str, Any]],
    sandbox: SandboxProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Desk]:
    """The client `acme`, without a webhook yet; the receiver knows the secret."""
    monkeypatch.setenv(VARIABLE, SandboxSettings().webhook_secret)
    settings.home.mkdir()
    here = replace(settings, sandbox_url=sandbox.url)
    with open_hq(here) as opened:
        add_client(opened, "acme", "Acme", actor=TESTER)
        yield Desk(here, opened, hq, sandbox)


def bodies(messages: Sequence[dict[str, Any]]) -> list[Any]:
    """What the messages say."""
    return [message["body"]["data"] for message in messages]
