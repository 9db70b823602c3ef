"""`make bench` prints what it has: every part has rows, and every target is said, measured or not."""

from __future__ import annotations

import json

from bench.__main__ import PARTS, RESULTS
from bench.summary import _SUMMARIES, summary
from bench.targets import TARGETS, rows


def test_every_part_has_rows_and_the_kept_results_are_printed() -> None:
    kept = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert set(_SUMMARIES) == set(PARTS) >= set(kept)
    assert {part for part, *_ in summary(kept)} == set(kept)


def test_a_target_that_was_not_measured_says_so_and_the_others_say_whether_they_are_reached() -> None:
    assert {(now, reached) for _, _, now, reached in rows({})} == {("not measured", "")}
    kept = json.loads(RESULTS.read_text(encoding="utf-8"))
    told = {work: (now, reached) for work, _, now, reached in rows(kept)}
    assert len(told) == len(TARGETS)
    assert {reached for now, reached in told.values() if now != "not measured"} <= {"yes", "no"}
    level = {"connections": 16, "ratio": 0.8}
    assert ("0.80", "yes") in {row[2:] for row in rows({"receiver": {"receiver": {"levels": [level]}}})}
