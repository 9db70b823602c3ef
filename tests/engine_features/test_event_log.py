"""The structured log: an object a line for what happened, and nothing of a person or a key in it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from enrichment_assets.assets.progress import ProgressLog
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.engine.run.advance import Progress
from enrichment_assets.engine.run.event_log import open_log
from enrichment_assets.settings import Settings
from tests.harness.batches import BatchHarness, Row, people, step


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    """A file that the engine logs to; the logger is as before afterwards."""
    logger = logging.getLogger("enrichment_assets.engine")
    before = (list(logger.handlers), logger.level, logger.propagate)
    yield tmp_path / "engine.jsonl"
    for handler in set(logger.handlers) - set(before[0]):
        logger.removeHandler(handler)
        handler.close()
    logger.level, logger.propagate = before[1], before[2]


def lines(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_attempt_is_a_line_and_no_line_knows_a_person(harness: BatchHarness, log_file: Path) -> None:
    rows = [{"first_name": "Zebulon", "n": "1"}, {"first_name": "Zebulon", "n": "2", "scenario": "not_found"}]
    batch = harness.launch(rows, step("find"), step("later", requires=["find"]))
    batch.settings = replace(batch.settings, log=str(log_file))
    assert batch.run().finished
    written = lines(log_file)
    assert [line["action"] for line in (written[0], written[-1])] == ["run_started", "run_ended"]
    calls = [line for line in written if line["action"] == "call"]
    assert len(calls) == sum(call["attempt"] for call in batch.calls())
    first = next(line for line in calls if line["workflow"] == "find" and line["outcome"] == "found")
    assert (first["client"], first["batch"], first["provider"], first["level"]) == ("acme", batch.key, "http", "info")
    assert first["cost"] == "0.01" and first["duration_ms"] >= 0 and first["http_status"] == 200
    assert {line["item"] for line in calls} == {row["item_id"] for row in batch.states()}
    assert [line["outcome"] for line in written if line["action"] == "skip"] == ["skipped"]
    text = log_file.read_text()
    assert "Zebulon" not in text and "http://" not in text


def test_a_request_that_cannot_be_put_on_the_wire_is_skipped_and_not_billed(
    harness: BatchHarness, log_file: Path
) -> None:
    batch = harness.launch(people(1), step("broken", url="http://127.0.0.1:99999999/x", retry={"attempts": 1}))
    batch.set_budget("5")
    assert batch.run().finished
    state = batch.state("broken")
    assert (state["status"], state["reason"].split(":")[0]) == ("SKIPPED", "invalid_input")
    assert [call["state"] for call in batch.calls()] == ["failed"]
    assert [(b.reserved, b.spent) for b in batch.budgets()] == [(0, 0)]


def test_a_log_that_cannot_be_written_is_said_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ENRICH_LOG"):
        open_log(str(tmp_path / "no" / "such" / "folder.jsonl"))


def test_the_log_is_asked_for_by_the_environment() -> None:
    assert Settings.from_environment({"ENRICH_LOG": "-"}).log == "-"
    assert Settings.from_environment({}).log is None


def test_progress_is_said_every_half_minute_and_only_when_something_moved() -> None:
    now = [0.0]
    said: list[str] = []
    log = ProgressLog(said.append, now=lambda: now[0])
    for second in range(0, 121, 3):
        now[0] = float(second)
        log.listen(Progress({("find", "found"): min(second, 60) * 10}))
        log.say()
    assert said == ["300 states moved, 10.0/s: find 300 found", "600 states moved, 10.0/s: find 600 found"]
