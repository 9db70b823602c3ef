"""What each kind of channel is sent and what its answers mean: by HTTP to its contract in the sandbox, and by SMTP."""

from __future__ import annotations

import logging
import socket
from datetime import UTC, datetime
from typing import Any

import pytest

from enrichment_assets.domain.alerts.kinds import Action, Kind, read_kind
from enrichment_assets.domain.alerts.notices import Fate, Notice, Said, text_of, title_of
from enrichment_assets.domain.errors import ConfigurationError, EnrichError
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.wire.channels import Address, opened_channel
from tests.alerts.conftest import ADDRESSES, ROUTING_KEY, Mails
from tests.engine.hostile_server import answering

WHEN = datetime(2026, 11, 29, 3, 0, tzinfo=UTC)
HTTP = ("slack:OPS_SLACK", "teams:OPS_TEAMS", "discord:OPS_DISCORD", "pagerduty:OPS_PAGER", "webhook:OPS_HOOK")


def notice(summary: str = "batch acme-1 is stuck", action: Action = Action.TRIGGER, key: str = "k1") -> Notice:
    return Notice(key, action, Kind.BATCH_STUCK, "acme", summary, WHEN)


def say(channel: str, *notices: Notice, sandbox: str | None = None, **environment: str) -> Said:
    send = opened_channel(Address.parse(channel), sandbox, {**ADDRESSES, **environment})
    return send(notices or (notice(),))


def test_every_channel_takes_a_notice_in_its_own_contract(sandbox: SandboxProcess) -> None:
    said = {channel: say(channel, sandbox=sandbox.url) for channel in HTTP}
    assert {channel: (one.fate, one.text) for channel, one in said.items()} == {
        "slack:OPS_SLACK": (Fate.SENT, "200: ok"),
        "teams:OPS_TEAMS": (Fate.SENT, "202: the flow has begun; Teams does not say whether it posted"),
        "discord:OPS_DISCORD": (Fate.SENT, "200: saved"),
        "pagerduty:OPS_PAGER": (Fate.SENT, "202: Event processed"),
        "webhook:OPS_HOOK": (Fate.SENT, "204"),
    }
    took = {name: [one["message"] for one in found] for name, found in sandbox.messages()["messages"].items()}
    assert took["slack"] == [
        {"text": "Error: batch acme-1 is stuck", "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
    ]
    assert took["teams"][0]["attachments"][0]["content"]["body"][0]["text"] == "Error: batch acme-1 is stuck"
    assert took["discord"] == [{"content": "Error: batch acme-1 is stuck", "allowed_mentions": {"parse": []}}]
    assert took["pagerduty"] == [
        {
            "routing_key": ROUTING_KEY,
            "event_action": "trigger",
            "dedup_key": "k1",
            "payload": {
                "summary": "batch acme-1 is stuck",
                "source": "enrichment-assets",
                "severity": "error",
                "timestamp": "2026-11-29T03:00:00+00:00",
                "class": "batch.stuck",
                "group": "acme",
            },
        }
    ]
    assert took["webhook"] == [
        {
            "webhook-id": "k1.trigger",
            "type": "alert.trigger",
            "incident": "k1",
            "kind": "batch.stuck",
            "severity": "error",
            "client": "acme",
            "summary": "batch acme-1 is stuck",
            "opened_at": "2026-11-29T03:00:00+00:00",
        }
    ]


def test_a_repeat_is_one_incident_at_pagerduty_and_a_resolve_ends_it(sandbox: SandboxProcess) -> None:
    for _ in range(2):
        assert say("pagerduty:OPS_PAGER", sandbox=sandbox.url).fate is Fate.SENT
    assert sandbox.messages()["incidents"] == {"k1": {"status": "triggered", "incidents": 1}}
    say("pagerduty:OPS_PAGER", notice(action=Action.RESOLVE), sandbox=sandbox.url)
    assert sandbox.messages()["incidents"] == {"k1": {"status": "resolved", "incidents": 1}}
    resolve = sandbox.messages()["messages"]["pagerduty"][-1]["message"]
    assert resolve == {"routing_key": ROUTING_KEY, "event_action": "resolve", "dedup_key": "k1"}


def test_many_notices_are_one_message_of_bounded_length_where_people_read(sandbox: SandboxProcess) -> None:
    many = [notice(f"batch number {n} of a long list <!channel> & @everyone is stuck") for n in range(60)]
    for channel in HTTP[:3]:
        assert say(channel, *many, sandbox=sandbox.url).fate is Fate.SENT
    took = sandbox.messages()["messages"]
    content = took["discord"][0]["message"]["content"]
    assert len(content) <= 2000
    assert content.endswith("more")
    slack = took["slack"][0]["message"]["text"]
    assert "&lt;!channel&gt; &amp; @everyone" in slack, "nobody can be called by what a name holds"
    assert took["teams"][0]["message"]["attachments"][0]["content"]["body"][0]["text"] == "60 alerts"
    long = say("discord:OPS_DISCORD", notice("x" * 5000), sandbox=sandbox.url)
    assert long.fate is Fate.SENT


@pytest.mark.parametrize(
    ("channel", "address", "fate", "words"),
    [  # api.slack.com/messaging/webhooks#handling_errors; discord.com/developers/docs/topics/opcodes-and-status-codes
        ("slack", "https://hooks.slack.com/services/T/B/no_service", Fate.REFUSED, "404: there is no such webhook"),
        ("slack", "https://hooks.slack.com/services/T/B/channel_is_archived", Fate.REFUSED, "410: the channel is arch"),
        ("slack", "https://hooks.slack.com/services/T/B/action_prohibited", Fate.REFUSED, "403: an administrator"),
        ("teams", "https://x.logic.azure.com/workflows/gone", Fate.REFUSED, "404: "),
        ("discord", "https://discord.com/api/webhooks/1/gone", Fate.REFUSED, "404: Unknown Webhook"),
        ("pagerduty", "eu:" + "z" * 32, Fate.SENT, "202: Event processed"),
    ],
)
def test_what_a_channel_never_takes_is_told_from_what_it_takes_later(
    sandbox: SandboxProcess, channel: str, address: str, fate: Fate, words: str
) -> None:
    said = say(f"{channel}:MINE", sandbox=sandbox.url, MINE=address)
    assert said.fate is fate
    assert said.text.startswith(words)


def test_a_limit_is_kept_in_the_seconds_that_each_channel_says(sandbox: SandboxProcess) -> None:
    sandbox.configure(providers={name: {"rate_limited": 1} for name in ("slack", "discord", "teams", "webhook")})
    said = {channel: say(channel, sandbox=sandbox.url) for channel in HTTP if not channel.startswith("pager")}
    assert {one.fate for one in said.values()} == {Fate.LATER}
    assert said["slack:OPS_SLACK"].retry_after == 1
    assert said["discord:OPS_DISCORD"].retry_after == 0.5, "the body's decimals, not the header's whole second"
    sandbox.configure(
        providers={"slack": {"errors": 1, "rate_limited": 0}, "discord": {"resets": 1, "rate_limited": 0}}
    )
    assert say("slack:OPS_SLACK", sandbox=sandbox.url).fate is Fate.LATER
    assert say("discord:OPS_DISCORD", sandbox=sandbox.url).fate is Fate.UNSURE, "it was saved, and nobody said so"
    assert len(sandbox.messages()["messages"]["discord"]) == 1


@pytest.mark.parametrize(
    ("channel", "status", "body", "fate"),
    [
        ("slack", 200, b"<html>Log in</html>", Fate.REFUSED),  # a proxy's page
        ("slack", 200, b'{"ok":false,"error":"channel_not_found"}', Fate.REFUSED),  # chat.postMessage
        ("slack", 302, b"", Fate.REFUSED),
        ("slack", 500, b"rollup_error", Fate.LATER),
        ("teams", 200, b"1", Fate.SENT),  # a connector of before
        ("teams", 200, b"Webhook message delivery failed with error: endpoint returned HTTP error 429", Fate.LATER),
        ("discord", 401, b'{"message": "Invalid Webhook Token", "code": 50027}', Fate.REFUSED),
        ("discord", 429, b'{"message": "limited", "retry_after": true}', Fate.LATER),
        ("discord", 429, b"<html>", Fate.LATER),  # Cloudflare's
        ("webhook", 410, b"", Fate.REFUSED),
        ("webhook", 408, b"", Fate.LATER),
        ("webhook", 307, b"", Fate.REFUSED),
    ],
)
def test_answers_that_are_not_what_they_look_like(channel: str, status: int, body: bytes, fate: Fate) -> None:
    with answering() as server:
        address = f"{server.url}/secret-in-the-path"
        server.status = status
        server.headers["location"] = f"{server.url}/elsewhere"
        server.bodies = dict.fromkeys(("/secret-in-the-path", "/secret-in-the-path?wait=true"), body)
        said = say(f"{channel}:MINE", MINE=address)
        assert said.fate is fate
        assert "/elsewhere" not in server.asked, "redirects are not followed"


def test_a_channel_that_says_its_own_address_is_not_quoted_with_it_and_nothing_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with answering() as server, caplog.at_level(logging.DEBUG):
        server.status = 404
        server.bodies["/services/T/B/a-long-secret-part"] = b"no hook at /services/T/B/a-long-secret-part here"
        said = say("slack:MINE", MINE=f"{server.url}/services/T/B/a-long-secret-part")
        closed = say("slack:MINE", MINE="http://127.0.0.1:9/services/a-long-secret-part")
    assert said.fate is Fate.REFUSED
    assert (closed.fate, closed.text) == (Fate.LATER, "it cannot be reached (ConnectError)")
    assert "a-long-secret-part" not in f"{said} {closed} {caplog.text}"


@pytest.mark.parametrize(
    ("channel", "value", "code"),
    [
        ("slack:MINE", "http://hooks.slack.com/services/T/B/secret-value", "alert.address"),
        ("webhook:MINE", "secret-value", "alert.address"),
        ("pagerduty:MINE", "secret-value", "alert.routing_key"),
        ("pagerduty:MINE", "us:0123456789abcdef0123456789abcdef", "alert.routing_key"),
        ("email:MINE", "smtp://mail.acme.com:587", "alert.mailbox"),
        ("email:MINE", "smtp://mail.acme.com:secret-value?from=a@b.de&to=c@d.de", "alert.mailbox"),
        ("email:MINE", "smtp://mail.acme.com?from=a@b.de&to=c@d.de%0d%0aBcc:secret-value@x.de", "alert.mailbox"),
        ("apprise:MINE", "secret-value", "alert.apprise_url"),
        ("slack:MINE", "", "configuration.variable_missing"),
        ("slack:HQ_DATABASE_URL", "", "alert.variable_reserved"),
        ("slack:https://hooks.slack.com/services/secret-value", "", "alert.channel"),
        ("fax:MINE", "", "alert.channel"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused_without_a_word_of_it(channel: str, value: str, code: str) -> None:
    with pytest.raises(EnrichError) as caught:
        say(channel, MINE=value)
    assert caught.value.code == code
    assert "secret-value" not in str(caught.value)


def test_mail_goes_to_every_recipient_and_an_attempt_more_has_the_same_id(mails: Mails) -> None:
    mails.answers = ["451 come back later", "550 5.7.1 no"]
    fates = [say("email:MINE", MINE=mails.address) for _ in range(4)]
    assert [one.fate for one in fates] == [Fate.LATER, Fate.REFUSED, Fate.SENT, Fate.SENT]
    assert fates[2].text == "250: accepted for 2 of 2 recipients"
    first, second = mails.taken
    assert (first["Subject"], first["To"]) == ("Error: batch acme-1 is stuck", "ops@acme.com, ann@acme.com")
    assert first["Message-ID"] == second["Message-ID"] == "<k1.trigger@acme.com>"
    assert first["Auto-Submitted"] == "auto-generated"
    assert first.get_payload() == "Error: batch acme-1 is stuck\r\n"


def test_a_password_leaves_over_tls_only_and_a_simulated_platform_mails_nobody(
    mails: Mails, sandbox: SandboxProcess
) -> None:
    login = mails.address.replace("smtp://", "smtp://ops:secret-word@")
    said = say("email:MINE", MINE=login)
    assert said.fate is Fate.REFUSED, "this server offers no login"
    away = say("email:MINE", sandbox=sandbox.url, MINE="smtp://mail.acme.com?from=a@acme.com&to=b@acme.com")
    assert (away.fate, "simulator" in away.text) == (Fate.REFUSED, True)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    gone = say("email:MINE", MINE=f"smtp://127.0.0.1:{port}?from=a@acme.com&to=b@acme.com")
    assert gone == Said(Fate.LATER, "the server cannot be reached (ConnectionRefusedError)")
    assert mails.taken == []


def test_any_other_service_is_reached_through_apprise_which_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with answering() as server, caplog.at_level(logging.DEBUG):
        address = f"json://127.0.0.1:{server.url.rpartition(':')[2]}/secret-of-apprise"
        assert say("apprise:MINE", MINE=address) == Said(Fate.SENT, "taken")
        assert server.asked == {"/secret-of-apprise": 1}
        server.status = 307
        server.headers["location"] = "/elsewhere"
        assert say("apprise:MINE", MINE=address).fate is Fate.UNSURE
        assert "/elsewhere" not in server.asked
    assert "secret-of-apprise" not in caplog.text


def test_a_notice_is_a_line_and_several_are_counted() -> None:
    two: list[Any] = [notice("a"), notice("b", Action.RESOLVE)]
    assert (title_of(two), text_of(two, 100)) == ("1 alert, 1 resolved", "Error: a\nResolved: b")
    assert text_of([notice("x" * 100)], 20) == "Error: xxxxxxxxxxxx…"
    with pytest.raises(ConfigurationError, match=r"no alert is called 'batch\.stuk'"):
        read_kind("batch.stuk")
