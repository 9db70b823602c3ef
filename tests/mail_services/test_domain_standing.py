"""Before the first mail of a domain its check has passed, or a person accepted what is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.mail.mailboxes import MailboxKind
from enrichment_assets.services.mail.domain_questions import Said, about_mailbox
from enrichment_assets.services.mail.domain_standing import accept, check, refusal
from enrichment_assets.services.mail.mailboxes import NewMailbox, add_mailbox, find_mailbox
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.wire.dns_names import DnsNames
from tests.actors import TESTER
from tests.harness.handles import hq_of

Rows = psycopg.Connection[dict[str, Any]]
PUBLIC = "https://hooks.agency.example"


def mailbox_at(hq: Hq, address: str, host: str, client: str = "acme", **settings: Any) -> None:
    new = NewMailbox(
        address=address,
        kind=MailboxKind.SMTP,
        settings={"host": host, **settings},
        secrets={},
        postal_address="Acme, 1 Main St, Boston MA",
        time_zone="America/New_York",
    )
    add_mailbox(hq, client, new, actor=TESTER)


def refused(hq: Hq, address: str) -> str | None:
    mailbox = find_mailbox(hq, address).mailbox
    with hq.transaction() as connection:
        return refusal(connection, mailbox)


def test_mail_leaves_once_the_check_passed_or_somebody_accepted(settings: Settings, hq: Rows, names: DnsNames) -> None:
    hq.execute("insert into clients (slug, name) values ('acme', 'Acme')")
    hq.commit()
    handle, public = hq_of(settings), replace(settings, receiver_url=PUBLIC)
    mailbox_at(handle, "ann@good.example", "smtp.gmail.com")
    mailbox_at(handle, "bob@nodmarc.example", "smtp.gmail.com")
    mailbox_at(handle, "ann@own.example", "out.own.example", security="tls")

    assert refused(handle, "ann@good.example") == "good.example was not checked"
    passed = check(handle, public, "ann@good.example", Said(), names, actor=TESTER)
    assert (passed.check.stops, passed.check.way, passed.kept) == ((), "google", True)
    assert refused(handle, "ann@good.example") is None
    elsewhere = check(handle, public, "good.example", Said("sendgrid"), names, client="acme", actor=TESTER)
    assert elsewhere.check.stops != ()
    assert refused(handle, "ann@good.example") is None, "mail of the same domain through somebody else is checked apart"

    failed = check(handle, public, "bob@nodmarc.example", Said(), names, actor=TESTER)
    assert failed.check.stops == ("dmarc.missing",) and not failed.accepted
    assert refused(handle, "bob@nodmarc.example") == "the check of nodmarc.example has not passed: dmarc.missing"
    with pytest.raises(ConfigurationError, match="say why"):
        accept(handle, "bob@nodmarc.example", " ", actor=TESTER)
    with pytest.raises(NotFoundError, match="was not checked"):
        accept(handle, "ann@own.example", "why not", actor=TESTER)
    ada = Actor(ActorKind.USER, "ada")
    accepted = accept(handle, "bob@nodmarc.example", "published on Monday", actor=ada)
    assert (accepted.accepted_by, accepted.accepted_stops) == ("user:ada", ["dmarc.missing"])
    assert refused(handle, "bob@nodmarc.example") is None
    again = check(handle, public, "bob@nodmarc.example", Said(), names, actor=TESTER)
    assert again.accepted, "a check that finds the same is still accepted"
    check(
        handle, settings, "bob@nodmarc.example", Said(), names, actor=TESTER
    )  # the receiver's address is this machine's
    assert refused(handle, "bob@nodmarc.example") == (
        "the check of nodmarc.example has not passed: opt_out.unreachable, dmarc.missing"
    ), "more than was accepted stops again"

    own = check(handle, public, "ann@own.example", Said(selectors=("s2026",)), names, actor=TESTER)
    assert (own.check.way, own.check.stops) == ("out.own.example", ())
    asked = about_mailbox(find_mailbox(handle, "ann@own.example").mailbox, Said(), PUBLIC)
    assert asked.servers == ("out.own.example",), "a server of the mailbox's own domain is one of one's own"

    loose = check(handle, public, "good.example", Said("google"), names, actor=TESTER)
    assert not loose.kept and loose.check.stops == ()
    rows = hq.execute("select domain, way, passed, checked_at from mail_domain_checks order by domain, way").fetchall()
    assert [(row["domain"], row["way"], row["passed"]) for row in rows] == [
        ("good.example", "google", True),
        ("good.example", "sendgrid", False),
        ("nodmarc.example", "google", False),
        ("own.example", "out.own.example", True),
    ]
    assert all(row["checked_at"] <= datetime.now(UTC) for row in rows)
    noted = hq.execute("select action, name, actor from operator_actions where action like 'mail.%' order by id")
    assert [(row["action"], row["name"]) for row in noted.fetchall()].count(("mail.accept", "nodmarc.example")) == 1


def test_what_is_no_domain_or_no_service_is_told(settings: Settings, hq: Rows, names: DnsNames) -> None:
    handle = hq_of(settings)
    for what in ("", "no domain", "https://", "localhost"):
        with pytest.raises(ConfigurationError, match="is no domain"):
            check(handle, settings, what, Said(), names, actor=TESTER)
    with pytest.raises(ConfigurationError, match="is no service that is known: google"):
        check(handle, settings, "good.example", Said("hotmail"), names, actor=TESTER)
    with pytest.raises(NotFoundError, match="no mailbox"):
        check(handle, settings, "nobody@good.example", Said(), names, actor=TESTER)
