"""Which run Dagster's queue takes next: clients in turn by weight, an urgent batch before its client's others."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg
import pytest
import yaml

from enrichment_assets.assets.run_queue import CLIENT_TAG, RunQueue, reorder
from enrichment_assets.domain.priorities import Priority
from enrichment_assets.installation.stack import render_dagster_home
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.urgency import Urgency


def batch(client: str, rank: int = 0, weight: float = 1.0) -> Urgency:
    return Urgency(1, 1, client, weight, rank)


def taken(queue: RunQueue, batches: Iterable[tuple[str, Urgency]]) -> list[str]:
    """Names in the order in which Dagster takes them: the highest priority first, then who came first."""
    tags = [(name, int(queue.enter(one)["dagster/priority"])) for name, one in batches]
    return [name for name, _ in sorted(tags, key=lambda tag: -tag[1])]


@pytest.mark.parametrize(
    ("batches", "order"),
    [
        (
            [("a1", batch("a")), ("a2", batch("a")), ("a3", batch("a")), ("b1", batch("b")), ("c1", batch("c"))],
            ["a1", "b1", "c1", "a2", "a3"],
        ),
        (
            [*((f"a{n}", batch("a", weight=2.0)) for n in (1, 2, 3)), ("b1", batch("b")), ("b2", batch("b"))],
            ["a1", "b1", "a2", "a3", "b2"],
        ),
        (
            [("a1", batch("a")), ("a2", batch("a")), ("urgent", batch("a", 1)), ("b1", batch("b")), ("b2", batch("b"))],
            ["a1", "urgent", "b1", "a2", "b2"],
        ),
        ([("low", batch("a", -1)), ("a1", batch("a")), ("a2", batch("a"))], ["low", "a1", "a2"]),
    ],
    ids=["clients in turn", "by weight", "urgent ones first", "who came first waits for nobody who is not there"],
)
def test_the_next_run_is_of_the_client_that_has_fewest(batches: list[tuple[str, Urgency]], order: list[str]) -> None:
    assert taken(RunQueue(()), batches) == order


def test_runs_that_are_queued_or_work_already_count() -> None:
    working = [RunQueue(()).enter(batch("a")) for _ in range(3)]
    assert taken(RunQueue(working), [("a4", batch("a")), ("b1", batch("b")), ("b2", batch("b"))]) == ["b1", "b2", "a4"]
    assert taken(RunQueue([{"dagster/backfill": "x"}]), [("a1", batch("a"))]) == ["a1"]


def test_a_queued_run_goes_forward_when_its_batch_becomes_urgent(instance: dg.DagsterInstance) -> None:
    queue = RunQueue(())
    for name in ("first", "second", "third"):
        tags = {"enrich/batch": name, **queue.enter(batch("a"))}
        instance.add_run(dg.DagsterRun(job_name="enrich_batch", status=dg.DagsterRunStatus.NOT_STARTED, tags=tags))
    reorder(instance, "third", batch("a", Priority.HIGH.rank))
    found = {run.tags["enrich/batch"]: int(run.tags["dagster/priority"]) for run in instance.get_runs()}
    assert found == {"first": 0, "second": -100, "third": 0}


def test_the_instance_leaves_slots_to_other_clients(settings: Settings) -> None:
    runs = yaml.safe_load(render_dagster_home(settings).read_text())["concurrency"]["runs"]
    (limit,) = runs["tag_concurrency_limits"]
    assert (limit["key"], limit["value"]) == (CLIENT_TAG, {"applyLimitPerUniqueValue": True})
    assert limit["limit"] < runs["max_concurrent_runs"]
