"""Mail handed to real servers: each message arrives once, byte for byte; what they refuse, and what nobody knows."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from enrichment_assets.domain.mail.addresses import mail_address
from enrichment_assets.domain.mail.mailboxes import Security
from enrichment_assets.domain.mail.message import Draft, Sender, Thread, Unsubscribe, build_message
from enrichment_assets.wire.imap import ImapAccess, open_mailbox
from enrichment_assets.wire.smtp import Submission, submit
from enrichment_assets.wire.transport import FateUnknown
from tests.services.mail.conftest import READ
from tests.services.mail.cutting import Cut, wire_to
from tests.services.mail.world import PASSWORD, SERVERS, MailWorld

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

COPIES = f"{READ}@agency.example"
EACH = 40
AT_ONCE = 8
LONG = "https://example.agency.example/unsubscribe/" + "0123456789abcdef" * 12
BODIES = (
    "Hello,\n\nmay I ask you something?\n\nSam",
    "A line that is a dot:\n.\n..and two\n.three\nFrom here on it is \u00fcber 76 characters wide, " + "so long " * 40,
    "\u4f60\u597d, caf\u00e9 \u20ac 5 \u2013 \U0001f600\n\ttab  and  spaces   \n",
    "From the start of a line\n>From quoted\n-- \nsignature",
)


def _mail(world: MailWorld, server: str, to: str, number: int, port: int | None = None) -> Submission:
    thread = tuple(f"<{'0123456789abcdef' * 4}.{step}.{number}@agency.example>" for step in range(4))
    message = build_message(
        Draft(f"Greens \u2013 {number} of caf\u00e9 " + "long " * (number % 30), BODIES[number % len(BODIES)]),
        Sender("S\u00e4m, Sales", mail_address("sales@agency.example"), "Agency\n1 Road", html=number % 2 == 0),
        mail_address(to),
        key=f"{server}-{to}-{number}",
        date=datetime(2026, 11, 2, 9, 0, number % 60, tzinfo=UTC),
        unsubscribe=Unsubscribe(f"{LONG}{number}"),
        recipient_name="J\u00f6rg \u201cJ\u201d Roe",
        thread=Thread(thread[-1], thread) if number % 3 else None,
    )
    url = f"smtp://127.0.0.1:{port or world.ports[server]}"
    return Submission(url, Security.PLAIN, message.mail_from, message.rcpt_to, message.content)


def _arrived(kept: bytes) -> bytes:
    """A message as it was handed over: without the lines that servers put above it; a Maildir has no CR."""
    start = kept.index(b"Date: ")
    return kept[start:].replace(b"\n", b"\r\n")


def test_each_message_arrives_once_and_byte_for_byte_whatever_servers_it_passes(world: MailWorld) -> None:
    ways = [(own, f"{'anna' if own == other else 'bert'}@{other}.example") for own in SERVERS for other in SERVERS]
    mails = [_mail(world, *ways[number % len(ways)], number) for number in range(EACH)]

    async def send() -> list[int]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(mail: Submission) -> int:
            async with gate:
                return (await submit(mail, 60)).status

        return await asyncio.gather(*(one(mail) for mail in mails))

    before = {to: len(world.mailbox(to)) for to in {mail.rcpt_to for mail in mails}}
    assert set(asyncio.run(send())) == {250}
    world.until(lambda: sum(len(world.mailbox(to)) for to in before) >= sum(before.values()) + EACH, 60)
    for to in before:
        sent = sorted(mail.content for mail in mails if mail.rcpt_to == to)
        assert sorted(_arrived(kept) for kept in world.mailbox(to)[before[to] :]) == sent, to


def test_what_servers_refuse_is_said_at_the_recipient_and_a_greylisting_one_takes_it_later(world: MailWorld) -> None:
    def said(server: str, to: str) -> tuple[int, str]:
        answer = asyncio.run(submit(_mail(world, server, to, 1), 60))
        body = json.loads(answer.body)
        return answer.status, f"{body['command']} {body['message'].split(' ')[0]}"

    for server in SERVERS:
        assert said(server, f"nobody@{server}.example")[0] == 550
        assert said(server, f"policy@{server}.example") == (550, "RCPT 5.7.1")
    assert said("postfix", "busy@postfix.example") == (450, "RCPT 4.2.0")
    assert said("exim", "grey@exim.example") == (451, "RCPT 4.7.1")
    assert said("exim", "grey@exim.example") == (250, "message OK")
    for server in ("postfix", "exim"):
        assert said(server, f"slow@{server}.example")[0] == 250


def test_a_lost_reply_leaves_nobody_knowing_and_the_copy_knows(world: MailWorld) -> None:
    """The wire is cut before the last line, then before the reply, at each server."""

    async def fates(server: str) -> None:
        async with wire_to(world.ports[server]) as wire:
            wire.cuts = [Cut.BEFORE_THE_END, Cut.BEFORE_THE_REPLY]
            for number in (100, 101):
                mail = _mail(world, server, f"anna@{server}.example", number, wire.port)
                with pytest.raises(FateUnknown):
                    await submit(replace(mail, copy_to=COPIES), 20)

    for server in SERVERS:
        asyncio.run(fates(server))
    ids = {
        (server, number): _message_id(_mail(world, server, f"anna@{server}.example", number).content)
        for server in SERVERS
        for number in (100, 101)
    }
    access = ImapAccess("127.0.0.1", world.ports["imap"], Security.PLAIN, COPIES, PASSWORD)

    def there() -> dict[tuple[str, int], bool]:
        with open_mailbox(access) as mailbox:
            mailbox.enter("INBOX")
            return {name: mailbox.has(message_id) for name, message_id in ids.items()}

    world.until(lambda: sum(there().values()) >= len(SERVERS), 60)
    assert there() == {name: name[1] == 101 for name in ids}


def _message_id(content: bytes) -> str:
    return next(line.split(b": ")[1].decode() for line in content.split(b"\r\n") if line.startswith(b"Message-ID: "))
