"""Progress that goes on: who looks at the same shares one look, and is told of changes alone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from enrichment_assets.services.deliveries.standing import Deliveries
from enrichment_assets.store.deliveries.batches import BatchDelivery, Counts
from enrichment_assets.web.console import live
from enrichment_assets.web.console.live import Feeds, event
from enrichment_assets.web.console.rendering import rendered
from enrichment_assets.web.console.views import Live

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_how_deliveries_stand_is_said_in_words() -> None:
    stands = [("COMPLETED", "found", None), ("SKIPPED", None, "no_identity: email"), ("SKIPPED", None, "unchanged")]
    counts = [Counts("to-crm", *one, leads=number) for number, one in enumerate([("PENDING", None, None), *stands], 3)]
    asked = BatchDelivery("to-crm", 1, False, None, None, "user:ada", NOON, NOON, None)
    page = rendered("deliveries_standing.html", {"found": Deliveries([], [asked], counts)})
    said = [" ".join(re.sub("<[^>]+>", " ", row).split()) for row in page.split("<tr>")[2:]]
    assert said[0].endswith("on its way 3")
    assert said[1:3] == ["arrived 4", "did not go 5 no identity: email"]
    assert said[3].startswith("stands there 6 unchanged")


class Counted:
    """Something that changes when it is told to, and counts how often it was looked at."""

    def __init__(self) -> None:
        self.looks, self.text, self.is_over, self.fails = 0, "one", False, False

    def look(self) -> tuple[str, Mapping[str, Any], bool]:
        self.looks += 1
        if self.fails:
            raise RuntimeError("the database is away")
        return "plain.html", {"title": self.text, "what": "", "caller": None, "said": None, "path": "/"}, self.is_over


async def collected(feeds: Feeds, counted: Counted) -> list[str]:
    found = []
    async for part in feeds.stream(Live("x", counted.look)):
        found.append(part.decode().split("\n", 1)[0])
        counted.text = "two"
        counted.is_over = len(found) >= 2
    return found


async def test_a_hundred_pages_of_one_batch_look_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SECONDS", 0.01)
    feeds, counted = Feeds(), Counted()
    told = await asyncio.gather(*(collected(feeds, counted) for _ in range(100)))
    assert all(events == ["event: part", "event: part", "event: over"] for events in told)
    assert counted.looks < 20
    assert feeds._feeds == {}


async def test_a_look_that_fails_ends_the_stream_and_the_next_one_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SECONDS", 0.01)
    feeds, counted = Feeds(), Counted()
    counted.fails = True
    assert await collected(feeds, counted) == ["event: over"]
    counted.fails, counted.is_over = False, True
    assert (await collected(feeds, counted))[0] == "event: part"


def test_each_line_of_an_event_is_by_itself() -> None:
    assert event("part", "<p>\n one\r\n</p>") == b"event: part\ndata: <p>\ndata:  one\ndata: </p>\n\n"
    assert event("over", "") == b"event: over\ndata: \n\n"
