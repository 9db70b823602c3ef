"""Stop means stop and no means no, whichever process dies: who decides, or a run that heeds it, at points and anywhere.

The long version, at all points and with a thousand random kills, is `make chaos`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from enrichment_assets.store.database import connect
from tests.chaos.commit_order import asked_while_held
from tests.chaos.crash_harness import CrashHarness, crash_harness, receiving
from tests.chaos.invariants import double_charges
from tests.chaos.points import DECIDED, HEEDED, quick
from tests.chaos.random_decisions import DecidedBatch
from tests.chaos.random_kills import LAUNCHES, at_random
from tests.chaos.report import Report
from tests.chaos.scenarios import decide_at, heed_at

ROWS = 6
KILLS = 30
pytestmark = [pytest.mark.crashes, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def harness() -> Iterator[CrashHarness]:
    """The harness of this module."""
    with crash_harness() as started:
        yield started


def test_a_decision_is_made_wholly_or_not_at_all_wherever_who_decides_or_the_run_is_killed(
    harness: CrashHarness,
) -> None:
    scenarios = [(decide_at, point) for point in quick(DECIDED)] + [(heed_at, point) for point in quick(HEEDED)]
    with receiving(harness):
        decided = [DecidedBatch(harness, harness.launch(ROWS), ROWS) for _ in scenarios]
        came = [scenario(harness, batch, point) for batch, (scenario, point) in zip(decided, scenarios, strict=True)]
        for batch in decided:
            batch.go_on()
            harness.finish(batch.key)
    assert [str(point) for reached, (_, point) in zip(came, scenarios, strict=True) if not reached] == []
    assert [fault for batch in decided for fault in batch.broken()] == []
    assert double_charges(harness) == []


def test_thirty_random_kills_lose_nothing_pay_nothing_twice_and_let_no_intent_follow_a_cancellation_or_a_no(
    harness: CrashHarness,
) -> None:
    report = Report()
    at_random(harness, report, KILLS, 300.0, random.Random(11), tuple(LAUNCHES))
    assert report.wrong == []
    assert report.kills >= KILLS
    assert double_charges(harness) == []


def test_an_intent_that_follows_a_cancellation_would_be_seen(harness: CrashHarness) -> None:
    batch = harness.launch(2)
    harness.decide(batch, "cancel", workflow="plain")
    with connect(harness.settings.hq_database_url or "") as hq:
        hq.execute(
            "insert into noted.intents (batch_id, item_id, workflow) "
            "select b.id, 1, slug from batches b, unnest(array['plain', 'keyed']) slug where b.batch_key = %s",
            (batch,),
        )
    (seen,) = asked_while_held(harness, batch)
    assert "'workflow': 'plain'" in seen
