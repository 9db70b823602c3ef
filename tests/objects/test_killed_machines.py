"""A machine dies while it publishes or fetches: others see all of a batch's files, of before or of after."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from enrichment_assets.objects.bucket import Bucket
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import generations
from enrichment_assets.warehouse.copies import brought
from tests.chaos.points import SHARED, Point
from tests.harness.fork_server import KILLED, ForkServer, fork_server
from tests.objects.child import FILES, SCOPE
from tests.objects.conftest import Machine

SWAP, SWAPPED, SWEPT, FETCHED = SHARED
Act = Callable[..., int]


@pytest.fixture
def machines(credentials: dict[str, str], tmp_path: Path) -> Iterator[ForkServer]:
    """Processes with a home each; the parent of all of them has asked the store nothing."""
    with fork_server(tmp_path / "machines.log", "tests.objects.child", credentials) as opened:
        yield opened


@pytest.fixture
def act(machines: ForkServer) -> Act:
    """`act(settings, "text", point)`: publish the text from a process of its own, killed at the point; its exit."""

    def run(settings: Settings, text: str | None, point: Point | None = None) -> int:
        fault: dict[str, Any] | None = point.fault() if point else None
        order = {"home": str(settings.home), "warehouse": settings.warehouse, "text": text, "fault": fault}
        return machines.run(order)

    return run


def seen(settings: Settings) -> list[str]:
    """Both files of the batch, from the store."""
    layout = brought(settings)
    return [layout.model(name, SCOPE.client_slug, SCOPE.batch_key).read_text() for name in FILES]


@pytest.mark.parametrize(
    ("point", "counts"), [(SWAP, "one"), (SWAPPED, "two"), (SWEPT, "two")], ids=["before the swap", "after", "swept"]
)
def test_a_publisher_that_is_killed_leaves_all_of_before_or_all_of_after(
    act: Act, machine: Machine, store: Bucket, point: Point, counts: str
) -> None:
    a, b, c = machine("a"), machine("b"), machine("c")
    assert act(a, "one") == 0
    assert act(b, "two", point) == KILLED
    assert seen(c) == [counts, counts]
    assert seen(b) == [counts, counts], "its own copy had more than it has published"
    assert act(b, "three") == 0
    assert seen(a) == seen(b) == seen(c) == ["three", "three"]


def test_a_machine_that_is_killed_before_its_first_publication_leaves_nothing_that_anybody_sees(
    act: Act, machine: Machine, store: Bucket
) -> None:
    a, b = machine("a"), machine("b")
    assert act(a, "one", SWAP) == KILLED
    for settings in (a, b):
        assert not list(brought(settings).root.glob("models/*/*/*.parquet"))
    assert len(store.list("files/acme-1")) == len(FILES)
    assert act(b, "two") == 0
    assert seen(a) == ["two", "two"]


def test_what_a_killed_publisher_put_is_removed_a_day_later_and_not_before(
    act: Act, machine: Machine, store: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = machine("a")
    assert act(a, "one", SWAP) == KILLED
    left = {one.key for one in store.list("files/acme-1")}
    assert act(a, "two") == 0
    assert left < {one.key for one in store.list("files/acme-1")}

    class Tomorrow(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(UTC) + timedelta(days=1, minutes=1)

    monkeypatch.setattr(generations, "datetime", Tomorrow)
    generation, _ = generations.current(store, SCOPE)
    assert set(generations.sweep(store, SCOPE, generation)) == left
    assert seen(machine("b")) == ["two", "two"]


def test_a_reader_that_is_killed_while_it_fetches_is_followed_by_one_that_reads_all(act: Act, machine: Machine) -> None:
    a, b = machine("a"), machine("b")
    assert act(a, "one") == 0
    assert act(b, None, FETCHED) == KILLED
    assert seen(b) == ["one", "one"]
    assert act(a, "two") == 0
    assert act(b, None, FETCHED) == KILLED
    assert seen(b) == ["two", "two"]
    assert not list(b.warehouse_dir.rglob("*.unfinished"))


def test_a_swap_whose_answer_was_lost_is_known_as_ones_own(
    act: Act, machine: Machine, store: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert act(machine("a"), "one") == 0
    generation, etag = generations.current(store, SCOPE)
    new = generation.followed_by(generation.files, "again")
    swapped = store.swap(SCOPE.manifest_key, new.encoded(), etag)
    assert generations.swap(store, SCOPE, new, etag) == swapped
    assert json.loads(store.read(SCOPE.manifest_key)[0])["generation"] == "again"
    with pytest.raises(generations.OvertakenError):
        generations.swap(store, SCOPE, generation.followed_by(generation.files, "other"), etag)
