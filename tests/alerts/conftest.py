"""Channels at the sandbox, and a mail server."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.alerts.watch import Watch
from tests.harness.batches import BatchHarness
from tests.recovery.conftest import enrich, program

__all__ = ["enrich", "program"]

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
ADDRESSES = {
    "OPS_SLACK": "https://hooks.slack.com/services/T/B/secret-of-slack-1",
    "OPS_TEAMS": "https://prod-1.logic.azure.com:443/workflows/a1/triggers/manual/paths/invoke?sig=secret-of-teams-1",
    "OPS_DISCORD": "https://discord.com/api/webhooks/1/secret-of-discord-1",
    "OPS_PAGER": ROUTING_KEY,
    "OPS_HOOK": "https://ops.acme.com/secret-of-webhook-1?token=secret-of-query-1",
}


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name, value in ADDRESSES.items():
        monkeypatch.setenv(name, value)
    return ADDRESSES


@pytest.fixture
def watched(harness: BatchHarness, addresses: dict[str, str]) -> Watch:
    return Watch(harness)


@dataclass
class Mails:
    """What a mail server took; `answers` is what it says to the next mails instead of taking them."""

    port: int = 0
    taken: list[Message] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd calls it
        if self.answers:
            return self.answers.pop(0)
        self.taken.append(message_from_bytes(envelope.content))
        return "250 queued"

    @property
    def address(self) -> str:
        return f"smtp://127.0.0.1:{self.port}?from=alerts@acme.com&to=ops@acme.com,ann@acme.com"


@pytest.fixture
def mails() -> Iterator[Mails]:
    with socket.create_server(("127.0.0.1", 0)) as free:  # its controller knows no port 0
        took = Mails(port=free.getsockname()[1])
    controller = Controller(took, hostname="127.0.0.1", port=took.port)
    controller.start()
    yield took
    controller.stop()
