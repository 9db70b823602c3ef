"""Retrying in several batches by the same filters: each by itself, and none that somebody holds or has put away."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.services.operations import retrying_many
from enrichment_assets.services.operations.holding import cancel, pause
from enrichment_assets.services.operations.retrying import Which
from enrichment_assets.services.operations.retrying_many import RetriedBatches, retry_batches
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.recovery.conftest import RegisteredBatch

BATCHES = ("first", "second", "paused", "archived", "given-up", "cancelled", "fine")
PEOPLE = "First Name,Last Name\nEve,East\nFay,Field\n"
TABLES = ("workflow_states", "provider_calls", "batches", "operator_actions", "enrichment_results_log")


@pytest.fixture
def batches(harness: RegisteredBatch) -> RegisteredBatch:
    """A batch for each of `BATCHES`: two that failed, four that somebody decided about, one that is done."""
    for key in BATCHES:
        workflow = harness.workflow("find-email")
        other = harness.workflow("find-other", provides={"other": "person.title"})
        harness.batch(*([workflow, other] if key == "second" else [workflow]), csv=PEOPLE, key=key)
        harness.sandbox.configure(errors=0 if key == "fine" else 1, error_status=[503])
        if key != "cancelled":
            harness.run()
    hq = hq_of(harness.settings)
    pause(hq, "paused", workflow="find-email", reason="ask ann", actor=TESTER)
    cancel(hq, "cancelled", reason="wrong list", actor=TESTER)
    for column, key in (("retired_at", "archived"), ("given_up_at", "given-up")):
        harness.hq.execute(f"update batches set {column} = now() where batch_key = %s", (key,))
    harness.hq.commit()
    return harness


def again(batches: RegisteredBatch, *keys: str, dry_run: bool = False, **filters: object) -> RetriedBatches:
    which = Which(**filters)  # type: ignore[arg-type]
    return retry_batches(hq_of(batches.settings), batches.settings, keys or None, which, actor=TESTER, dry_run=dry_run)


def counts(done: RetriedBatches) -> dict[str, dict[str, int]]:
    return {report.batch: dict(report.retried) for report in done.batches}


def statuses(batches: RegisteredBatch) -> dict[str, set[str]]:
    rows = batches.rows(
        "select b.batch_key, s.status from workflow_states s join batches b on b.id = s.batch_id group by 1, 2"
    )
    return {key: {row["status"] for row in rows if row["batch_key"] == key} for key in BATCHES}


def test_all_batches_of_which_something_matches_are_retried_and_what_somebody_decided_about_is_named_and_left(
    batches: RegisteredBatch, enrich: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, rows = statuses(batches), [batches.rows(f"select t.* from {name} t order by 1, 2") for name in TABLES]
    both = {"first": {"find-email": 2}, "second": {"find-email": 2, "find-other": 2}}
    for filters, expected in (
        ({}, both),
        ({"workflow": "find-other"}, {"second": {"find-other": 2}}),
        ({"workflow": "find-email"}, {"first": {"find-email": 2}, "second": {"find-email": 2}}),
        ({"provider": "http", "error_class": "retryable"}, both),
        ({"error_class": "contract"}, {}),
        ({"since": datetime(2026, 1, 1, tzinfo=UTC)}, both),
        ({"since": datetime(2999, 1, 1, tzinfo=UTC)}, {}),
    ):
        assert counts(again(batches, dry_run=True, **filters)) == expected, filters
    foreseen = again(batches, dry_run=True)
    reasons = {one.batch: one.reason for one in foreseen.left}
    assert reasons == {
        "archived": "it is archived",
        "given-up": "it was given up",
        "paused": f"find-email is paused by {TESTER}: ask ann",
        "cancelled": f"it is cancelled by {TESTER}: wrong list",
    }
    named = again(batches, "fine", "second", "paused", dry_run=True)
    assert (list(counts(named)), {one.batch for one in named.left}) == (["second"], {"fine", "paused"})
    for filters in ({"workflow": "find-phone"}, {"provider": "apollo"}):
        with pytest.raises(NotFoundError, match="none of these batches has a"):
            again(batches, **filters)
    with pytest.raises(NotFoundError, match="no batch 'nowhere'"):
        again(batches, "first", "nowhere")
    with pytest.raises(ConfigurationError, match="error class 'bad'"):
        again(batches, error_class="bad")
    monkeypatch.setattr(retrying_many, "MOST_BATCHES", 1)
    assert (counts(again(batches, dry_run=True)), again(batches, dry_run=True).more) == ({"first": both["first"]}, 1)
    monkeypatch.undo()
    code, text = enrich("retry", "--all-batches", "--dry-run")
    assert (code, text.splitlines()[-1]) == (0, "nothing was changed: without --dry-run it is")
    assert "cancelled is left: it is cancelled" in text
    assert [batches.rows(f"select t.* from {name} t order by 1, 2") for name in TABLES] == rows

    code, text = enrich("retry", "--all-batches", "--json")
    done = json.loads(text)
    assert ({one["batch"]: one["retried"] for one in done["batches"]}, done["more"], code) == (both, 0, 0)
    assert {one["batch"]: one["reason"] for one in done["left"]} == reasons
    noted = batches.rows("select name from operator_actions where action = 'batch.retry' order by id")
    assert [row["name"] for row in noted] == ["first", "second"]
    assert statuses(batches) == before | {"first": {"PENDING"}, "second": {"PENDING"}}
    assert again(batches).batches == ()


def test_a_retry_is_of_named_batches_or_of_all(
    harness: RegisteredBatch, enrich: Callable[..., tuple[int, str]]
) -> None:
    for arguments in ((), ("first", "--all-batches")):
        code, text = enrich("retry", *arguments)
        assert code == 2 and "name one batch or several" in text
