"""Many mails over three days of a clock that is set, through real servers, by a sender that is killed again and again.

`Soak` takes so many people, who get two mails each, and so many kills.
"""

from __future__ import annotations

import random
import smtplib
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from email import message_from_bytes
from email.message import Message
from time import perf_counter
from typing import Any

from enrichment_assets.domain.mail.mailboxes import MailboxKind
from enrichment_assets.providers import build_providers
from enrichment_assets.services.catalog.clients import add_client
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.deliveries.connections import add_connection
from enrichment_assets.services.deliveries.delivering import deliver
from enrichment_assets.services.deliveries.listening import listen
from enrichment_assets.services.deliveries.resolving import Decision, resolve_delivery
from enrichment_assets.services.mail.mailboxes import NewMailbox, add_mailbox, list_mailboxes, resume_mailbox
from enrichment_assets.store.hq import Hq
from tests.actors import TESTER
from tests.chaos.points import MAIL, Point
from tests.delivery.test_delivering import finished
from tests.gate.opening import open_gate
from tests.harness.batches import BatchHarness, Launched
from tests.harness.fork_server import ForkServer
from tests.harness.handles import hq_of
from tests.mail.clock import Clock
from tests.mail.post import MONDAY, STEPS, mail_step
from tests.services.mail.world import SERVERS, MailWorld

DAYS = 6
FULL_DAYS = 3
"""Days that the mailboxes would need if all mails left; who is written to last is written to again a day later."""

MOST_RUNS = 400
BOXES = 3
KILLED_OFTEN = 0.7
KILLED_AFTER = (0.1, 0.9)
"""Parts of what the run before took that was not killed: on a fast machine a run is over sooner."""

POINTS = (*MAIL[4:], *MAIL[:4])
"""Of a mail's way; first those around its submission, of which nobody knows what became of the mail."""

COPIES = "copies@agency.example"
CHILD = "tests.services.mail.sending_child"
SLUGS = STEPS[:2]


@dataclass(frozen=True)
class Person:
    """One who is written to.

    Attributes:
        number: From 0.
        role: `reads`, `answers`, `is_away`, `says_no`, `unknown` (refused at once), `bounces` (refused later).
    """

    number: int
    role: str

    @property
    def server(self) -> str:
        """Of which server. OpenSMTPD tries for days whom Dovecot does not know."""
        return SERVERS[self.number % (2 if self.role == "bounces" else 3)]

    @property
    def address(self) -> str:
        """Where they are written to."""
        domain = f"late.{self.server}.example" if self.role == "bounces" else f"{self.server}.example"
        return f"{'nobody' if self.role == 'bounces' else 'p'}{self.number:04}@{domain}"


ROLES = {7: "answers", 11: "bounces", 13: "is_away", 17: "says_no", 19: "unknown"}
"""Of every 40 people."""

ANSWERS = {
    "answers": ("Sounds good, call me.", []),
    "is_away": ("I am out of the office until 31 December 2027.", ["Auto-Submitted: auto-replied"]),
    "says_no": ("Please remove me from your list.", []),
}


def crowd(count: int) -> list[Person]:
    """So many people."""
    return [Person(number, ROLES.get(number % 40, "reads")) for number in range(count)]


@contextmanager
def servers(people: list[Person]) -> Iterator[MailWorld]:
    """Servers that know them, and the mailboxes that write to them."""
    known = [one.address.split("@")[0] for one in people if one.role not in ("unknown", "bounces")]
    with MailWorld(known, [*(f"box{n}" for n in range(BOXES)), "copies"]) as world:
        yield world


@dataclass
class Soak:
    """One run of it; `happened` counts what was done, `took` is the seconds of the last run that was not killed.

    Mails leave from nine `until`; those that are due within a `step` leave in one run.
    """

    harness: BatchHarness
    world: MailWorld
    clock: Clock
    sender: ForkServer
    people: list[Person]
    kills: int
    chance: random.Random
    step: timedelta
    until: time = time(17)
    happened: Counter[str] = field(default_factory=Counter)
    answered: set[int] = field(default_factory=set)
    points: deque[Point] = field(default_factory=lambda: deque(POINTS))
    took: float = 0.3

    @property
    def hq(self) -> Hq:
        """The databases."""
        return hq_of(self.harness.settings)

    def run(self) -> Launched:
        """From the first plan to the last mail."""
        batch = self._begin()
        for _ in range(MOST_RUNS):
            if (due := self._due(batch)) is None or due > MONDAY + timedelta(days=DAYS):
                break
            self.clock.set(due + self.step)
            self._send(batch)
            self._settle(batch)
            self._react()
            self._resume()
        return batch

    def _begin(self) -> Launched:
        add_client(self.hq, "acme", actor=TESTER)
        open_gate(self.hq)
        a_day = len(self.people) * len(SLUGS) // (BOXES * FULL_DAYS) + 1
        for number in range(BOXES):
            mailbox = NewMailbox(
                address=f"box{number}@agency.example",
                kind=MailboxKind.SMTP,
                settings={
                    "host": "127.0.0.1",
                    "port": self.world.ports[SERVERS[number % 3]],
                    "security": "plain",
                    "bcc": COPIES,
                },
                secrets={},
                postal_address="Agency, 1 Road",
                time_zone="America/New_York",
                name="S\u00e4m",
                ramp=None,
                window=(time(9), self.until),
                daily_cap=a_day,
                domain_cap=a_day,
            )
            add_mailbox(self.hq, "acme", mailbox, actor=TESTER)
        for name in (*(f"box{n}" for n in range(BOXES)), "copies"):
            settings = {"host": "127.0.0.1", "port": self.world.ports["imap"], "security": "plain"}
            add_connection(
                self.hq, "acme", name, "imap", actor=TESTER, secret_variable="SOAK_IMAP",
                settings={**settings, "user": f"{name}@agency.example"},
            )  # fmt: skip
        for number in (1, 2):
            add_workflow(self.hq, self.harness.settings, mail_step(number, gate="contact"), actor=TESTER)
        rows = [
            {"first_name": f"P{one.number:04}", "last_name": "Archer", "email": one.address, "company_name": "Club"}
            for one in self.people
        ]
        batch = finished(self.harness, rows)
        self.clock.set(MONDAY)
        self._plan(batch)
        return batch

    def _plan(self, batch: Launched) -> None:
        providers = build_providers(batch.sandbox.url)
        deliver(self.hq, batch.settings, batch.key, SLUGS, actor=TESTER, providers=providers)

    def _send(self, batch: Launched) -> None:
        """A run that is not killed; while there are kills left some before it that are killed.

        The first of those dies at a point of a mail's way, at each in turn, while there still are mails to send.
        """
        point: Point | None = self.points[0]
        while self.kills > 0 and self.chance.random() < KILLED_OFTEN:
            self.kills -= 1
            self._kill(batch, point)
            point = None
            with self.hq.transaction() as connection:
                connection.execute("update runners set expires_at = now() - interval '1 s' where ended_at is null")
        began = perf_counter()
        assert self.sender.run(self._order(batch)) == 0
        self.took = perf_counter() - began
        self.happened["runs"] += 1

    def _kill(self, batch: Launched, point: Point | None) -> None:
        """A run that dies at a point of a mail's way, or after some time."""
        if point is not None:
            code = self.sender.run(self._order(batch, fault=point.fault()))
        else:
            code = self.sender.run(self._order(batch, cut_after=self.took * self.chance.uniform(*KILLED_AFTER)))
        self.happened["killed" if code < 0 else "was over before it was killed"] += 1
        if code < 0 and point is not None:
            self.happened[str(point)] += 1
            self.points.rotate(-1)

    def _order(self, batch: Launched, *, cut_after: float = 0, fault: dict[str, Any] | None = None) -> dict[str, Any]:
        settings = batch.settings
        return {
            "batch": batch.key,
            "slugs": list(SLUGS),
            "home": str(settings.home),
            "hq": settings.hq_database_url,
            "workspace": settings.workspace_database_url,
            "sandbox": batch.sandbox.url,
            "receiver": settings.receiver_url,
            "cut_after": cut_after,
            "fault": fault,
        }

    def _react(self) -> None:
        """Those whose role it is answer the mail that has come, and the mailboxes are read."""
        for one in self.people:
            if one.role not in ANSWERS or one.number in self.answered:
                continue
            for kept in self.world.mailbox(one.address)[:1]:
                self.answered.add(one.number)
                self._answer(one, message_from_bytes(kept))
        for number in range(BOXES):
            self.happened["events"] += listen(self.hq, self.harness.settings, 30, name=f"box{number}").taken.new

    def _answer(self, person: Person, mail: Message) -> None:
        text, headers = ANSWERS[person.role]
        ours = str(mail["From"]).rpartition("<")[2].rstrip(">")
        lines = [
            f"From: <{person.address}>", f"To: <{ours}>", f"Message-ID: <answer-{person.number}@club.example>",
            f"In-Reply-To: {mail['Message-ID']}", "Subject: Re: A word", *headers, "", text,
        ]  # fmt: skip
        with smtplib.SMTP("127.0.0.1", self.world.ports[person.server], local_hostname="club.example") as client:
            client.sendmail(person.address, [ours], "\r\n".join(lines) + "\r\n")

    def _resume(self) -> None:
        """A mailbox that stopped itself for its bounces is let go on, as a person would."""
        for one in list_mailboxes(self.hq, client="acme"):
            if one.mailbox.paused_at is not None:
                self.happened["paused"] += 1
                resume_mailbox(self.hq, one.mailbox.address, actor=TESTER)

    def _settle(self, batch: Launched) -> None:
        """Mails of unknown fate: those whose copy is there have left; a person has the others sent again.

        A copy may still be in a server's queue: who says that a mail did not leave has looked at those first.
        """
        if not (before := self._unknown(batch)):
            return
        self.happened["ambiguous"] += len(before)
        self.world.come_to_rest()
        listen(self.hq, self.harness.settings, 60, name="copies")
        for delivery in self._unknown(batch):
            self.happened["ambiguous, not sent"] += 1
            resolve_delivery(self.hq, delivery, Decision.NOT_DELIVERED, actor=TESTER)

    def _unknown(self, batch: Launched) -> list[int]:
        rows = self._rows("select id from deliveries where batch_id = %s and state = 'unknown'", batch.batch_id)
        return [row["id"] for row in rows]

    def states(self, person: Person) -> list[tuple[str, str, str | None]]:
        """What the platform says of the mails to somebody: of each delivery its status and why."""
        rows = self._rows(
            "select s.workflow_slug, s.status, s.reason from workflow_states s join batch_items i on i.id = s.item_id "
            "where i.row_number = %s and s.workflow_slug = any(%s) order by 1",
            person.number + 1,
            list(SLUGS),
        )
        return [tuple(row.values()) for row in rows]

    def _due(self, batch: Launched) -> datetime | None:
        """When the next mail is due that is not yet; one that a person has sent again is due now. None: none is."""
        found: datetime | None = self._rows(
            "select min(coalesce(next_attempt_at, clock_timestamp())) as at from workflow_states where batch_id = %s "
            "and status = 'PENDING' and workflow_slug = any(%s) "
            "and coalesce(next_attempt_at, clock_timestamp()) > clock_timestamp() - interval '10 minutes'",
            batch.batch_id,
            list(SLUGS),
        )[0]["at"]
        return found

    def _rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of HQ by a session that goes by the clock; the harness's own began before it."""
        with self.hq.transaction() as connection:
            return connection.execute(query, values).fetchall()
