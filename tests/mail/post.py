"""A client that sends mail: mailboxes at a server on this machine, batches of people, and a clock that tests set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from enrichment_assets.domain.mail.mailboxes import MailboxKind
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.providers import build_providers
from enrichment_assets.services.catalog.clients import add_client
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.deliveries.delivering import deliver, run_deliveries
from enrichment_assets.services.mail.mailboxes import NewMailbox, add_mailbox
from enrichment_assets.store.hq import Hq
from tests.actors import TESTER
from tests.delivery.test_delivering import LOCAL, finished
from tests.gate.opening import open_gate
from tests.harness.batches import BatchHarness, Launched
from tests.harness.handles import hq_of
from tests.mail.clock import Clock
from tests.mail.server import Server, serving

NEW_YORK = ZoneInfo("America/New_York")


def _monday() -> datetime:
    today = datetime.now(NEW_YORK).date()
    return datetime.combine(today - timedelta(days=today.weekday() + 14), time(8), NEW_YORK)


MONDAY = _monday()
"""Before the window of a Monday that was a fortnight ago: what comes back is in the past, as the platform expects."""

STEPS = ("send-1", "send-2", "send-3")


def mail_step(number: int, **delivery: Any) -> WorkflowDefinition:
    """A step of a sequence, as `examples/mail` has it, with words that need no approval."""
    follows = {} if number == 1 else {"follows": {"delivery": f"send-{number - 1}", "wait": "20h"}}
    subject = "A word, {{ first_name }}" if number == 1 else "Re: A word, {{ first_name }}"
    return WorkflowDefinition.model_validate(
        {
            "slug": f"send-{number}",
            "title": "Send",
            "phase": "delivery",
            "step": 910 + number,
            "provider": "smtp",
            "operation": "send",
            "mode": "sync",
            "requires": ["email"],
            "delivery": {
                "identity": ["email"],
                "on_change": "never",
                "fields": {
                    "subject": {"value": subject},
                    "text": {"value": f"Hello {{{{ first_name }}}},\nthis is mail {number} with {{{{ '{{' }}}} in it."},
                },
                **follows,
                **delivery,
            },
            "request": {
                "method": "POST",
                "url": "mailbox://submission",
                "body": {
                    "to": "{{ email }}",
                    "name": "{{ full_name | default('') }}",
                    "subject": "{{ fields.subject }}",
                    "text": "{{ fields.text }}",
                    "place": ["{{ country | default('') }}", "{{ state | default('') }}", "{{ city | default('') }}"],
                },
            },
            "response": {"external_id": "message_id"},
            "limits": {"concurrency": 4},
            "retry": {"attempts": 12, "timeout": "20s"},
        }
    )


@dataclass
class Post:
    """A client's post.

    Attributes:
        harness: Batches.
        server: That takes the mails.
        clock: By which everything goes.
    """

    harness: BatchHarness
    server: Server
    clock: Clock
    addresses: list[str] = field(default_factory=list)

    @property
    def hq(self) -> Hq:
        """The databases."""
        return hq_of(self.harness.settings)

    def mailbox(self, name: str = "ann", hq: Hq | None = None, **changes: Any) -> None:
        """Add a mailbox at the server; `hq`: by this handle, in a process of its own."""
        whole = NewMailbox(
            address=f"{name}@acme.example",
            kind=MailboxKind.SMTP,
            settings={"host": "127.0.0.1", "port": self.server.port, "security": "plain"},
            secrets={},
            postal_address="Acme Inc., 1 Main Street, Erie PA",
            time_zone="America/New_York",
            name=name.title(),
            ramp=None,
        )
        add_mailbox(hq or self.hq, "acme", replace(whole, **changes), actor=TESTER)
        self.addresses.append(f"{name}@acme.example")

    def batch(self, people: Sequence[dict[str, str]], steps: int = 1, **delivery: Any) -> Launched:
        """A finished batch of these people, whose mails are planned."""
        for number in range(1, steps + 1):
            add_workflow(self.hq, self.harness.settings, mail_step(number, **delivery), actor=TESTER)
        batch = finished(self.harness, [dict(one) for one in people])
        self.plan(batch, steps)
        return batch

    def plan(self, batch: Launched, steps: int = 1) -> None:
        """Plan a batch's mails, and send what is due."""
        providers = build_providers(batch.sandbox.url)
        deliver(self.hq, batch.settings, batch.key, STEPS[:steps], actor=TESTER, providers=providers)

    def at(self, moment: datetime, batch: Launched, steps: int = 1) -> None:
        """It is this moment, and a run sends what is due."""
        self.clock.set(moment)
        providers = build_providers(batch.sandbox.url)
        run_deliveries(self.hq, batch.settings, batch.key, STEPS[:steps], providers=providers)

    def until(self, end: datetime, batch: Launched, steps: int = 1) -> None:
        """Let time go by: a run whenever mails are due, those of 20 minutes together."""
        while True:
            due = self.rows(
                "select min(next_attempt_at) as at from workflow_states "
                "where batch_id = %s and status = 'PENDING' and workflow_slug = any(%s)",
                batch.batch_id,
                list(STEPS[:steps]),
            )[0]["at"]
            if due is None or due > end:
                self.clock.set(end)
                return
            self.at(max(due, self.clock.moment) + timedelta(minutes=20), batch, steps)

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of HQ."""
        return self.harness.hq.execute(query, values).fetchall()


@contextmanager
def posting(harness: BatchHarness) -> Iterator[Post]:
    """A client's post before the window of a Monday, until the block ends."""
    clock = Clock(harness.settings.hq_database_url or "")
    try:
        with serving() as server:
            clock.set(MONDAY)
            add_client(hq_of(harness.settings), "acme", actor=TESTER)
            open_gate(hq_of(harness.settings))
            yield Post(harness, server, clock)
    finally:
        clock.close()


def people(count: int, domains: int = 7, **columns: str) -> list[dict[str, str]]:
    """People whom nobody else is, at so many companies."""
    return [
        {
            "first_name": f"P{number:04}",
            "last_name": "Archer",
            "email": f"p{number:04}@club{number % domains}.example",
            "company_name": f"Club {number % domains}",
            **columns,
        }
        for number in range(count)
    ]


__all__ = ["LOCAL", "MONDAY", "NEW_YORK", "STEPS", "Post", "mail_step", "people", "posting"]
