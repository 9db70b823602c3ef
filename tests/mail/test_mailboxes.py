"""Mailboxes: what is refused, what is written down, and when one stops."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from typing import Any

import pytest

from enrichment_assets.domain.errors import ConfigurationError, EnrichError, NotFoundError
from enrichment_assets.domain.mail.mailboxes import MailboxKind, Ramp, SmtpSettings, cap_on, unhealthy
from enrichment_assets.services.mail.mailboxes import (
    NewMailbox,
    add_mailbox,
    find_mailbox,
    list_mailboxes,
    pause_mailbox,
    resume_mailbox,
    set_caps,
)
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from tests.actors import TESTER
from tests.harness.handles import hq_of

ANN = NewMailbox(
    address="Ann@Acme.example.",
    kind=MailboxKind.SMTP,
    settings={"host": "smtp.acme.example", "port": "2525", "dkim": {"selector": "s1", "domain": "acme.example"}},
    secrets={"password": "ACME_SMTP", "dkim_key": "ACME_DKIM"},
    postal_address="Acme Inc.\n1 Main Street",
    time_zone="America/New_York",
    country="United States",
    name="Ann Lee",
)


def test_a_mailbox_is_added_paused_and_resumed_and_each_is_written_down(settings: Settings) -> None:
    hq = hq_of(settings)
    with hq.transaction() as connection:
        connection.execute("insert into clients (slug, name) values ('acme', 'Acme'), ('kestrel', 'Kestrel')")
    added = add_mailbox(hq, "acme", ANN, actor=TESTER)
    assert (added.address, added.country, added.settings["port"]) == ("ann@acme.example", "US", 2525)
    assert added.ramp == Ramp(5, 2) and (added.window_from, added.window_until) == (time(9), time(17))
    with pytest.raises(ConfigurationError) as taken:  # one mailbox, one cap, whoever uses it
        add_mailbox(hq, "kestrel", replace(ANN, address="ANN@acme.example"), actor=TESTER)
    assert taken.value.code == "mailbox.address_taken"
    standing = find_mailbox(hq, "Ann@Acme.example")
    assert (standing.cap_today, standing.usage.sent_today, standing.usage.planned) == (5, 0, 0)
    assert pause_mailbox(hq, "ann@acme.example", actor=TESTER, reason="on leave").paused_reason == "on leave"
    assert pause_mailbox(hq, "ann@acme.example", actor=TESTER, reason="later").paused_reason == "on leave"
    assert resume_mailbox(hq, "ann@acme.example", actor=TESTER).paused_at is None
    assert set_caps(hq, "ann@acme.example", actor=TESTER, daily_cap=3).daily_cap == 3
    assert find_mailbox(hq, "ann@acme.example").cap_today == 3
    with pytest.raises(ConfigurationError):
        set_caps(hq, "ann@acme.example", actor=TESTER, daily_cap=501)
    with pytest.raises(NotFoundError):
        find_mailbox(hq, "eve@acme.example")
    assert [one.mailbox.address for one in list_mailboxes(hq, client="acme")] == ["ann@acme.example"]
    assert list_mailboxes(hq, client="kestrel") == []
    with hq.transaction() as connection:
        actions = connection.execute("select action, before, after from operator_actions order by id").fetchall()
    assert [row["action"] for row in actions] == ["mailbox.add", "mailbox.pause", "mailbox.resume", "mailbox.set"]
    assert actions[0]["after"]["secrets"] == {"password": "ACME_SMTP", "dkim_key": "ACME_DKIM"}
    assert actions[3]["before"]["daily_cap"] == 20 and actions[3]["after"]["daily_cap"] == 3


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"settings": {"host": "smtp.acme.example", "security": "plain"}}, "mailbox.settings"),
        ({"settings": {"host": "smtp.acme.example", "tls": "yes"}}, "mailbox.settings"),
        ({"settings": {"host": "smtp.acme.example/x"}}, "mailbox.settings"),
        ({"settings": {"host": "h", "port": 70_000}}, "mailbox.settings"),
        ({"secrets": {"passwort": "ACME_SMTP", "dkim_key": "ACME_DKIM"}}, "mailbox.secret"),
        ({"secrets": {"password": "A", "access_token": "B", "dkim_key": "C"}}, "mailbox.two_logins"),
        ({"secrets": {"password": "ACME_SMTP"}}, "mailbox.dkim_key"),
        ({"secrets": {"password": "hunter2!", "dkim_key": "ACME_DKIM"}}, "mailbox.variable"),
        ({"secrets": {"password": "HQ_DATABASE_URL", "dkim_key": "ACME_DKIM"}}, "mailbox.variable"),
        ({"time_zone": "Boston"}, "mailbox.time_zone"),
        ({"country": "Narnia"}, "mailbox.country"),
        ({"window": (time(17), time(9))}, "mailbox.window"),
        ({"daily_cap": -1}, "mailbox.cap"),
        ({"domain_cap": 0}, "mailbox.cap"),
        ({"ramp": Ramp(0, 2)}, "mailbox.ramp"),
        ({"postal_address": "  "}, "mailbox.no_postal_address"),
        ({"opt_out": "{link}"}, "mailbox.no_opt_out"),
        ({"name": "Ann\r\nBcc: x@y.example"}, "mail.header_not_one_line"),
        ({"address": "ann"}, "mail.address"),
        ({"reply_to": "a@b.example, c@d.example"}, "mail.address"),
    ],
)
def test_a_mailbox_that_could_not_send_is_not_added(change: dict[str, Any], code: str) -> None:
    with pytest.raises(EnrichError) as refused:
        add_mailbox(Hq.__new__(Hq), "acme", replace(ANN, **change), actor=TESTER)
    assert refused.value.code == code and "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"host": "smtp.acme.example"}, "smtp://smtp.acme.example:587"),
        ({"host": "smtp.acme.example", "security": "tls"}, "smtps://smtp.acme.example:465"),
        ({"host": "127.0.0.1", "port": 2525, "security": "plain"}, "smtp://127.0.0.1:2525"),
        ({"host": "::1", "port": 2525, "security": "plain"}, "smtp://[::1]:2525"),
    ],
)
def test_a_server_is_reached_at_the_port_of_its_security(settings: dict[str, Any], url: str) -> None:
    assert SmtpSettings(**settings).url == url


@pytest.mark.parametrize(
    ("sent", "bounced", "complained", "stops"),
    [
        (20, 1, 0, False),  # 5 %, of one mail
        (100, 2, 0, False),  # exactly 2 %
        (99, 2, 0, True),
        (1000, 20, 1, False),
        (1000, 21, 0, True),
        (20, 0, 1, False),
        (2000, 0, 2, False),  # exactly 0.1 %
        (1999, 0, 2, True),
        (0, 0, 0, False),
    ],
)
def test_a_mailbox_stops_over_two_percent_bounces_and_a_tenth_of_complaints(
    sent: int, bounced: int, complained: int, stops: bool
) -> None:
    assert (unhealthy(sent, bounced, complained) is not None) is stops


def test_a_ramp_grows_with_each_day_of_sending_up_to_the_cap() -> None:
    assert [cap_on(20, Ramp(5, 2), days) for days in (0, 1, 7, 8, 100)] == [5, 7, 19, 20, 20]
    assert cap_on(3, Ramp(5, 2), 0) == 3 and cap_on(20, None, 0) == 20
