"""A mailbox is read over IMAP: what comes back of our mails is taken once, and a stranger's mail does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.mail.mailboxes import MailboxKind
from enrichment_assets.services.deliveries.connections import add_connection, list_connections, list_messages, replay
from enrichment_assets.services.deliveries.listening import Listened, listen
from enrichment_assets.services.mail.mailboxes import NewMailbox, add_mailbox
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, Launched, step
from tests.harness.handles import hq_of
from tests.inbound.imap_server import PASSWORD, USER, ImapServer, imap_server

PEOPLE = ("ann", "ben", "cid", "dee", "eve", "fay", "gus", "hal")
DOCUMENTED = Path(__file__).parent / "documented"


class Desk:
    """A batch whose leads were each written to from one mailbox, which a connection reads."""

    def __init__(self, batch: Launched, server: ImapServer) -> None:
        self.batch, self.server = batch, server
        self.hq, self.settings = hq_of(batch.settings), batch.settings
        mailbox = NewMailbox(
            USER, MailboxKind.SMTP, {"host": "127.0.0.1", "security": "plain"}, {}, "Agency\n1 Road", "Europe/London"
        )
        add_mailbox(self.hq, "acme", mailbox, actor=TESTER)
        with self.hq.transaction() as connection:
            connection.execute(
                """
                insert into mail_messages (client_id, mailbox_id, batch_id, item_id, workflow_slug, recipient,
                    receiving_domain, message_id, state, day, scheduled_at, sent_at)
                select i.client_id, m.id, i.batch_id, i.id, 'send-email', p.email, 'acme.com',
                       '<' || p.name || '@agency.example>', 'sent', current_date, now() - interval '1 day',
                       now() - interval '1 day'
                from batch_items i join mailboxes m on m.address = %s
                join unnest(%s::text[], %s::text[]) with ordinality as p(name, email, n) on p.n = i.row_number
                """,
                (USER, list(PEOPLE), [f"{name}@acme.com" for name in PEOPLE]),
            )
        add_connection(
            self.hq, "acme", "acme-mail", "imap", actor=TESTER, secret_variable="ACME_IMAP",
            settings={**server.settings, "folders": ["INBOX", "Spam", "Kopien/Übung"]},
        )  # fmt: skip

    def listen(self) -> Listened:
        return listen(self.hq, self.settings, 20, name="acme-mail")

    def events(self) -> dict[str, list[str]]:
        """Person -> what came back of the mail to them, in order."""
        rows = self.batch.rows("select kind, item_id from delivery_events order by id")
        names = {row["id"]: PEOPLE[row["row_number"] - 1] for row in self.batch.rows("select * from batch_items")}
        found: dict[str, list[str]] = {}
        for row in rows:
            found.setdefault(names[row["item_id"]], []).append(row["kind"])
        return found


@pytest.fixture
def desk(harness: BatchHarness, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("ACME_IMAP", PASSWORD)
    rows = [{"first_name": name, "email": f"{name}@acme.com", "company_name": "Acme"} for name in PEOPLE]
    with imap_server() as server:
        yield Desk(harness.launch(rows, step("find")), server)


def mail(sender: str, text: str, *headers: str, to: str = USER) -> bytes:
    own = [f"From: {sender}", f"To: {to}", f"Message-ID: <{abs(hash((sender, text, headers)))}@acme.com>"]
    return "\n".join([*own, *headers, "", text, ""]).encode()


def report(name: str, status: str, said: str) -> bytes:
    """As Exchange Online writes it, about the mail to one person."""
    text = (DOCUMENTED / "exchange-online-unknown.eml").read_text()
    text = text.replace("m1@agency.example", f"{name}@agency.example").replace("jane@acme.example", f"{name}@acme.com")
    text = text.replace("ndr-1@", f"ndr-{name}@").replace("Status: 5.1.10", f"Status: {status}")
    return text.replace("550 5.1.10 RESOLVER.ADR.RecipientNotFound;", said).encode()


def test_what_comes_back_is_about_the_mail_that_it_answers_and_is_taken_once(desk: Desk) -> None:
    back = datetime.now(UTC).date() + timedelta(days=20)
    desk.server.put(
        mail("Ann <ann@acme.com>", "Yes, call me.", "In-Reply-To: <ann@agency.example>"),
        # Ben's assistant answers: the Message-ID says for whom.
        mail("pa@other.org", "Please remove Ben from your list, stop emailing us.", "References: <ben@agency.example>"),
        mail("cid@acme.com", f"I am away until {back:%d %B %Y}.", "Auto-Submitted: auto-replied",
             "In-Reply-To: <cid@agency.example>"),
        report("dee", "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound;"),
        report("eve", "5.7.1", "550 5.7.1 spam;"),
        report("fay", "5.2.2", "552 5.2.2 mailbox full;"),
    )  # fmt: skip
    desk.server.put(
        mail("gus@acme.com", "A new thread, but it is me. Not now."),  # no reference: by who wrote to whom
        (DOCUMENTED / "complaint.eml").read_bytes().replace(b"m1@agency.example", b"hal@agency.example"),
        folder="Spam",
    )
    # Nothing follows from these: a stranger, a stranger's bounce, a lead who writes to another address, our copy of a
    # second mail. The copy of the first says that it has left.
    desk.server.put(
        mail("news@shop.example", "Buy now! unsubscribe"),
        (DOCUMENTED / "qmail-unknown.eml").read_bytes(),
        mail("hal@acme.com", "Hello", to="info@elsewhere.example"),
        mail(USER, "Second mail", "In-Reply-To: <hal@agency.example>", to="hal@acme.com"),
        b"From: sam@agency.example\nTo: hal@acme.com\nMessage-ID: <hal@agency.example>\n\nFirst mail\n",
        b"\x00\xff not a mail \x00",
        folder="Kopien/Übung",
    )
    done = desk.listen()
    assert (done.read, done.dead, done.troubles) == (14, 0, {})
    expected = {
        "ann": ["replied"], "ben": ["replied", "asked_to_stop"], "cid": ["auto_replied"], "dee": ["bounced"],
        "eve": ["bounced_policy"], "fay": ["deferred"], "gus": ["replied"], "hal": ["complained", "sent"],
    }  # fmt: skip
    assert desk.events() == expected
    hashes = "select count(distinct hash) as n from delivery_stops where until is {} null"
    assert desk.batch.rows(hashes.format(""))[0]["n"] >= 3  # ann, ben, gus
    until = desk.batch.rows("select distinct until from delivery_stops where until is not null")
    assert [row["until"].date() for row in until] == [back + timedelta(days=1)]
    reasons = desk.batch.rows("select reason from suppressions order by reason")
    assert [row["reason"].split(":")[0] for row in reasons] == ["bounced", "complained"]
    assert {message.content_type for message in list_messages(desk.hq, source="acme-mail")} == {"message/rfc822"}

    # Again, by hand from what was kept, and from a folder that the server numbers anew: nothing happens twice.
    assert desk.listen().read == 0
    assert len(replay(desk.hq, actor=TESTER, source="acme-mail", dead_only=False)) == 14
    assert desk.listen().taken.new == 0
    with desk.server.at() as box:
        box.folder.set("Spam")
        again = [message.obj.as_bytes() for message in box.fetch(mark_seen=False)]
    desk.server.renumber("Spam")
    desk.server.put(*again, mail("gus@acme.com", "One more thing."), folder="Spam")
    done = desk.listen()
    assert (done.read, done.taken.new) == (3, 1)
    assert desk.events() == {**expected, "gus": ["replied", "replied"]}

    # A server that is not there, or that knows the login no more, is no answer; what came meanwhile is read later.
    desk.server.put(mail("ann@acme.com", "And another.", "In-Reply-To: <ann@agency.example>"))
    os_environ = pytest.MonkeyPatch()
    os_environ.setenv("ACME_IMAP", "changed")
    assert "refuses the login" in desk.listen().troubles["acme-mail"]
    assert "refuses the login" in (list_connections(desk.hq)[0].error or "")
    assert "changed" not in (list_connections(desk.hq)[0].error or "")
    os_environ.undo()
    assert desk.listen().taken.new == 1 and list_connections(desk.hq)[0].error is None


def test_a_connection_says_what_it_cannot_use(desk: Desk) -> None:
    for wrong in (
        {"user": USER},
        {"host": "imap.acme.com", "user": USER, "security": "plain"},
        {"host": "imap.acme.com", "user": USER, "folder": ["INBOX"]},
        {"host": "imap.acme.com", "user": USER, "folders": []},
        {"host": "imap.acme.com/x y", "user": USER},
    ):
        with pytest.raises(ConfigurationError) as refused:
            add_connection(desk.hq, "acme", "second", "imap", actor=TESTER, secret_variable="ACME_IMAP", settings=wrong)
        assert refused.value.code == "event_source.imap_settings"
