"""From a rule to a message: once when it begins, once when it is over, whoever watches and whatever breaks."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from enrichment_assets.domain.alerts.kinds import KINDS, SHIPPED, Kind, read_threshold
from enrichment_assets.domain.alerts.patience import MOST_ATTEMPTS, pause_after, rest_after
from enrichment_assets.domain.alerts.quiet import QuietHours
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.services.alerts import ruling, watching
from enrichment_assets.services.alerts.sentences import SENTENCES
from enrichment_assets.services.operations.history import list_history
from enrichment_assets.services.operations.holding import pause, resume
from enrichment_assets.store.alerts import detectors, incidents, notices
from enrichment_assets.wire.channels import Address
from tests.actors import TESTER
from tests.alerts.watch import HOOK, PAGER, SLACK, Watch
from tests.harness.batches import Launched, step


@pytest.fixture
def paused(watched: Watch) -> Launched:
    batch = watched.harness.launch([{"n": "1"}], step("find"))
    pause(watched.hq, batch.key, reason="the offer <changes>", actor=TESTER)
    return batch


def test_an_incident_is_told_once_and_once_more_when_it_is_over(watched: Watch, paused: Launched) -> None:
    watched.rule(Kind.BATCH_PAUSED)
    watched.rule(Kind.BATCH_PAUSED, PAGER)
    assert [watched.round().sent for _ in range(3)] == [2, 0, 0]
    said = f"acme: batch {paused.key} was paused by {TESTER}: the offer &lt;changes&gt;"
    assert watched.texts() == [f"Warning: {said}"]
    resume(watched.hq, paused.key, actor=TESTER)
    assert watched.round().sent == 0, "it has to be away for a while"
    watched.later(minutes=6)
    assert watched.round().sent == 2
    assert watched.texts() == [f"Warning: {said}", f"Resolved: {said}"]
    (told,) = watched.harness.sandbox.messages()["incidents"].values()
    assert told == {"status": "resolved", "incidents": 1}
    assert watched.round() == watching.Round()
    (shown, _) = ruling.list_incidents(watched.hq, client="acme", limit=9, only_open=False)
    assert (shown.kind, shown.told, shown.closed_at is not None) == ("batch.paused", "sent", True)
    assert ruling.list_incidents(watched.hq, client="acme", limit=9, only_open=True) == []


def test_what_comes_and_goes_stays_open_longer_each_time(watched: Watch, paused: Launched) -> None:
    watched.rule(Kind.BATCH_PAUSED)
    for _ in range(12):  # paused for a minute, away for seven: two hours of it
        watched.round()
        watched.later(minutes=1)
        resume(watched.hq, paused.key, actor=TESTER)
        watched.round()
        watched.later(minutes=7)
        watched.round()
        pause(watched.hq, paused.key, reason="again", actor=TESTER)
    assert len(watched.texts()) == 3, "told, over, told; from then on it is away for less long than it would have to be"
    assert len(ruling.list_incidents(watched.hq, client=None, limit=99, only_open=True)) == 1


def test_two_that_watch_at_once_open_one_incident_and_send_one_message(watched: Watch, paused: Launched) -> None:
    watched.rule(Kind.BATCH_PAUSED)
    start = threading.Barrier(4)
    rounds: list[watching.Round] = []

    def one() -> None:
        start.wait()
        rounds.append(watched.round())

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(round_.sent for round_ in rounds) == [0, 0, 0, 1]
    assert len(watched.texts()) == 1


def killed_after(sending: Callable[[notices.Load], object], watched: Watch) -> notices.Load:
    """Take what is due and send it, and note nothing: as a process that is killed in between."""
    with watched.hq.transaction() as connection:
        incidents.locked(connection)
        load = notices.take(connection)
    assert load is not None
    sending(load)
    return load


def test_who_dies_between_sending_and_noting_is_followed_once_and_a_pager_takes_it_for_one(
    watched: Watch, paused: Launched
) -> None:
    for channel in (SLACK, PAGER, HOOK):
        watched.rule(Kind.BATCH_PAUSED, channel)
    watched.harness.sandbox.configure(providers={"slack": {"errors": 1}})
    assert watched.round().sent == 2, "the pager and the webhook took theirs"
    watched.harness.sandbox.configure(providers={"slack": None})
    watched.later(minutes=10)
    for _ in range(3):
        load = killed_after(lambda one: watching.send(watched.settings, one, one.taken), watched)
        assert load.channel_kind.value == "slack"
        assert watched.round() == watching.Round(), "somebody has it"
        watched.later(minutes=2)
        if load.taken[0].unsure == 1:
            break
    watched.round()
    assert len(watched.texts()) == 2, "no more than once over what nobody answered"
    (row,) = watched.rows(f"select * from alert_notices n where said = '{watching.NO_ANSWER}'")
    assert (row["sent_at"], row["given_up_at"] is not None) == (None, True)


KILLED = """
import os, signal, sys
from pathlib import Path
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.services.alerts.watching import watch
from enrichment_assets.settings import Settings
from enrichment_assets.store.alerts import notices
notices.settle = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
settings = Settings(home=Path(sys.argv[1]), hq_database_url=sys.argv[2], sandbox_url=sys.argv[3])
with open_hq(settings) as hq:
    watch(hq, settings, 20)
"""


def test_who_is_killed_before_noting_what_was_sent_is_followed_and_a_pager_still_has_one_incident(
    watched: Watch, paused: Launched
) -> None:
    for channel in (PAGER, HOOK):
        watched.rule(Kind.BATCH_PAUSED, channel)
    settings = watched.settings
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(settings.home), settings.hq_database_url, settings.sandbox_url],
            check=False,
            timeout=120,
        )
        assert done.returncode == -signal.SIGKILL
        assert watched.round().due == 0
        watched.later(minutes=2)
    watched.round()
    took = watched.harness.sandbox.messages()
    ids = [one["message"]["webhook-id"] for one in took["messages"]["webhook"]]
    assert len(took["messages"]["pagerduty"]) + len(ids) == 4, "two were sent by those who died"
    assert [one["incidents"] for one in took["incidents"].values()] == [1]
    assert len(set(ids)) == 1
    assert {row["n"] for row in watched.rows("select count(*) as n from alert_notices where sent_at is not null")} == {
        2
    }


def test_a_channel_that_fails_is_tried_with_pauses_and_shown_and_not_for_ever(watched: Watch, paused: Launched) -> None:
    watched.rule(Kind.BATCH_PAUSED)
    watched.harness.sandbox.configure(providers={"slack": {"errors": 1, "error_status": [503]}})
    assert watched.round() == watching.Round(due=1, failed=1)
    assert watched.round() == watching.Round(), "it rests"
    (shown,) = ruling.list_channels(watched.hq)
    assert (shown.failures, shown.waiting, shown.said) == (1, 1, '503: {"error":"internal error"}')
    for _ in range(MOST_ATTEMPTS):
        watched.later(hours=2)
        watched.round()
    (shown,) = ruling.list_channels(watched.hq)
    assert (shown.waiting, shown.given_up, shown.failures) == (0, 1, MOST_ATTEMPTS)
    assert ruling.list_incidents(watched.hq, client=None, limit=1, only_open=True)[0].told == "given up"
    watched.harness.sandbox.configure(providers={"slack": None})
    resume(watched.hq, paused.key, actor=TESTER)
    watched.round()
    watched.later(hours=2)
    assert watched.round().sent == 0, "what was never told to begin is not told to be over"


def test_a_channel_that_is_gone_is_asked_once_and_one_without_a_variable_says_so(
    watched: Watch, paused: Launched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", "https://hooks.slack.com/services/T/B/no_service")
    watched.rule(Kind.BATCH_PAUSED, Address.parse("slack:MINE"))
    watched.rule(Kind.BATCH_PAUSED, Address.parse("slack:T"))
    assert watched.round().failed == 2
    said = {one.variable: (one.said, one.given_up, one.waiting) for one in ruling.list_channels(watched.hq)}
    assert said["MINE"] == ("404: there is no such webhook (no_service)", 1, 0)
    text, given_up, waiting = said["T"]
    assert "needs the environment variable T, which is not set" in str(text)
    assert (given_up, waiting) == (0, 1)


def test_in_quiet_hours_nothing_is_said_and_what_is_over_by_then_never(watched: Watch, paused: Launched) -> None:
    now = datetime.now(UTC)
    quiet = QuietHours((now - timedelta(hours=1)).time(), (now + timedelta(hours=2)).time())
    watched.rule(Kind.BATCH_PAUSED, quiet=quiet)
    assert watched.round() == watching.Round(due=1)
    watched.later(hours=3)
    assert watched.round().sent == 1
    other = watched.harness.launch([{"n": "2"}], step("find"))
    pause(watched.hq, other.key, reason="short", actor=TESTER)
    watched.round()
    resume(watched.hq, other.key, actor=TESTER)
    watched.round()
    watched.later(minutes=6)
    watched.round()
    watched.later(hours=3)
    assert watched.round() == watching.Round()
    assert len(watched.texts()) == 1
    said = [row["said"] for row in watched.rows("select said from alert_notices where given_up_at is not null")]
    assert said == [incidents.OVER_BEFORE]


@pytest.mark.parametrize(
    ("moment", "over_at"),
    [  # Berlin, 22:00-07:00
        ("2026-11-29T20:59:00+00:00", None),
        ("2026-11-29T21:00:00+00:00", "2026-11-30T06:00:00+00:00"),
        ("2026-11-30T05:59:00+00:00", "2026-11-30T06:00:00+00:00"),
        ("2026-11-30T06:00:00+00:00", None),
        ("2026-03-28T23:00:00+00:00", "2026-03-29T05:00:00+00:00"),  # clocks go forward that night
        ("2026-10-24T23:00:00+00:00", "2026-10-25T06:00:00+00:00"),  # and back in that one
        ("2026-07-01T21:00:00+00:00", "2026-07-02T05:00:00+00:00"),
    ],
)
def test_quiet_hours_are_kept_by_the_clock_on_the_wall(moment: str, over_at: str | None) -> None:
    quiet = QuietHours.parse("22:00 - 07:00", "Europe/Berlin")
    at = datetime.fromisoformat(moment)
    assert quiet.over_at(at) == datetime.fromisoformat(over_at or moment)


def test_quiet_hours_and_thresholds_that_are_none_are_refused() -> None:
    for text, zone in (("22-7", "UTC"), ("25:00-07:00", "UTC"), ("07:00-07:00", "UTC"), ("22:00-07:00", "Mars/Base")):
        with pytest.raises(ConfigurationError):
            QuietHours.parse(text, zone)
    assert QuietHours.parse("9:00-17:00").over_at(datetime(2026, 1, 1, 12, tzinfo=UTC)).hour == 17
    assert read_threshold(Kind.BUDGET_USED, "80 %") == 80
    assert read_threshold(Kind.BUDGET_USED, None) == 100
    for text in ("0", "101", "NaN", "Infinity", "-1", "many", ""):
        with pytest.raises(ConfigurationError, match="number of % from 1 to 100"):
            read_threshold(Kind.BUDGET_USED, text)
    with pytest.raises(ConfigurationError, match="has no threshold"):
        read_threshold(Kind.BATCH_PAUSED, "1")


def test_pauses_grow_to_an_hour_and_keep_to_what_the_channel_asks() -> None:
    assert [pause_after(n, None) for n in (1, 2, 3, 10)] == [60, 120, 240, 3600]
    assert (pause_after(1, 500.0), pause_after(1, 1e9), rest_after(1, None), rest_after(99, None)) == (
        500,
        86_400,
        30,
        900,
    )


def test_rules_are_set_and_removed_by_somebody_and_the_shipped_set_is_off_until_then(
    watched: Watch, paused: Launched
) -> None:
    rules, off = ruling.list_rules(watched.hq)
    assert (rules, off) == ([], list(SHIPPED))
    assert watched.round() == watching.Round()
    made = ruling.add(watched.hq, ruling.shipped(SLACK, None, None), actor=TESTER)
    assert [(rule.kind, rule.threshold) for rule in made] == [(one.kind, one.threshold) for one in SHIPPED]
    assert ruling.add(watched.hq, ruling.shipped(SLACK, None, None), actor=TESTER) == []
    assert ruling.list_rules(watched.hq)[1] == []
    with pytest.raises(ConfigurationError, match="there is a rule already"):
        watched.rule(Kind.BATCH_PAUSED)
    with pytest.raises(NotFoundError, match="no client 'acm'"):
        watched.rule(Kind.BATCH_PAUSED, client="acm")
    watched.round()
    assert len(watched.texts()) == 1
    number = next(rule.id for rule in made if rule.kind is Kind.BATCH_PAUSED)
    ruling.remove(watched.hq, number, actor=TESTER)
    with pytest.raises(NotFoundError):
        ruling.remove(watched.hq, number, actor=TESTER)
    watched.round()
    assert watched.texts()[1].startswith("Resolved: "), "at once: nobody watches it any more"
    done = [action.action for action in list_history(watched.hq, limit=20) if action.kind == "alert"]
    assert done == ["alert.remove", *["alert.add"] * len(SHIPPED)]


def test_every_kind_has_a_statement_and_says_something() -> None:
    assert set(KINDS) == set(detectors.STATEMENTS) == set(SENTENCES) == set(Kind)
    assert all(
        bounds.lowest <= bounds.default <= bounds.highest
        for bounds in (watched.threshold for watched in KINDS.values())
        if bounds
    )
    assert Decimal(80) in {one.threshold for one in SHIPPED}
