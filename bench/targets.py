"""What the work on speed aims at, beside what the results file has: work, target, now, whether it is reached.

A ratio "of the other checkout" needs a part that was run with `--against`; what was not measured is said to be so.
What was tried where a figure misses: docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Results = Mapping[str, Any]
Row = tuple[str, str, str, str]

TEN_MILLION = 10_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """One line: what is aimed at, and how the figure is read from the results (`KeyError`: it was not measured)."""

    work: str
    target: str
    figure: Callable[[Results], float]
    most: float | None = None
    least: float | None = None
    form: str = "{:.2f}"

    def row(self, results: Results) -> Row:
        """For people."""
        try:
            value = self.figure(results)
        except (KeyError, StopIteration):
            return self.work, self.target, "not measured", ""
        reached = (self.most is None or value <= self.most) and (self.least is None or value >= self.least)
        return self.work, self.target, self.form.format(value), "yes" if reached else "no"


def rows(results: Results) -> Iterator[Row]:
    """All targets, in their order."""
    for one in TARGETS:
        yield one.row(results)


def _small(command: str) -> Callable[[Results], float]:
    return lambda results: float(results["small"]["small"]["cpu_ratio"][command])


def _launch(results: Results) -> float:
    part = results["daemon"]
    return float(part["launch"]["one"]["wall"] / part["launch, other checkout"]["one"]["wall"])


def _five(results: Results) -> float:
    launch = results["daemon"]["launch"]
    return float(launch["five_at_once"]["wall"] / launch["one"]["wall"])


def _idle(results: Results) -> float:
    part = results["daemon"]
    return float(part["idle"]["0 batches"] / part["idle, other checkout"]["0 batches"])


def _idle_grows(results: Results) -> float:
    idle = results["daemon"]["idle"]
    return float(idle["10000 batches"] / idle["0 batches"])


def _storage(results: Results) -> float:
    return float(max(span["disk_bytes"] for span in results["daemon"]["storage"].values()) / 1e6)


def _whole(items: int) -> Callable[[Results], float]:
    return lambda results: next(size["ratio"] for size in results["whole"]["whole"]["sizes"] if size["items"] == items)


def _engine(name: str) -> Callable[[Results], float]:
    def ratio(results: Results) -> float:
        sizes = results["engine"][name]["sizes"]
        return float(next(size["ratio"]["aiohttp"] for size in sizes if size["items"] == 10_000))

    return ratio


def _stored(name: str) -> Callable[[Results], float]:
    def ratio(results: Results) -> float:
        storing = results["storing"]["storing"]
        return float(storing[name] / storing["bare_copy_rows_per_second"])

    return ratio


def _extraction(name: str, *, of_ten_million: bool = False) -> Callable[[Results], float]:
    part = "ten million" if of_ten_million else "extraction"
    return lambda results: float(results["extraction"][part][name])


def _volume(name: str) -> Callable[[Results], float]:
    def ratio(results: Results) -> float:
        ours, *others = results["volume"]["volume"]["sides"]
        if not others:
            raise KeyError(name)
        return float(ours[name] / others[0][name])

    return ratio


def _receiver(results: Results) -> float:
    levels = results["receiver"]["receiver"]["levels"]
    return float(next(level["ratio"] for level in levels if level["connections"] == 16))


TARGETS = (
    Target("48 rows x 4 steps, enrich run: CPU s, of the other checkout", "0.3", _small("run"), most=0.3),
    Target("the same, nothing left to do", "0.15", _small("nothing left"), most=0.15),
    Target("daemon: launch to tables, 48 rows, of the other checkout", "0.35", _launch, most=0.35),
    Target("daemon: five lists at once, to one", "2.5", _five, most=2.5),
    Target("enrich run to tables, 5,000 rows x 3 calls, to a bare loop", "1.3", _whole(5_000), most=1.3),
    Target("the same, 1,000 rows", "2.5", _whole(1_000), most=2.5),
    Target("daemon idle: CPU s an hour, of the other checkout", "0.5", _idle, most=0.5),
    Target("daemon idle: with 10,000 finished batches, to none", "1.2", _idle_grows, most=1.2),
    Target("engine at latency 0, to the bare loop", "2.5", _engine("ceiling"), most=2.5),
    Target("engine at 50 ms, 10,000 items, to the bare loop", "1.12", _engine("wire"), most=1.12),
    Target(
        "bulk of ten at 60 calls a minute, times faster than singly",
        "9",
        lambda results: results["bulk"]["bulk"]["limited"]["times_faster"],
        least=9,
    ),
    Target("storing by configuration, new rows, to bare COPY", "0.5", _stored("rows_per_second"), least=0.5),
    Target("storing the same rows again, to bare COPY", "0.5", _stored("rows_per_second_again"), least=0.5),
    Target("publishing 1,000,000 history rows first, to COPY", "2", _extraction("publish_to_copy"), most=2),
    Target("publishing them again, to the first time", "1", _extraction("again_to_first"), most=1),
    Target(
        "CSV ingest of 200,000 x 58, to DuckDB",
        "1.2",
        lambda results: results["ingest"]["ingest"]["ingest_to_duckdb_time_ratio"],
        most=1.2,
    ),
    Target(
        "10,000,000 history rows, to a hand-written query",
        "1.4",
        _extraction("ratio_to_hand_written", of_ten_million=True),
        most=1.4,
    ),
    Target("rows x 2 local steps: wall time, of the other checkout", "0.5", _volume("wall_s"), most=0.5),
    Target("the same: peak memory", "0.45", _volume("memory_mb"), most=0.45),
    Target("the same: bytes in Postgres", "0.5", _volume("bytes_a_row"), most=0.5),
    Target("receiver at 16 connections, to one that commits nothing", "0.75", _receiver, least=0.75),
    Target("enrich status cold, of the other checkout", "0.5", _small("status, cold"), most=0.5),
    Target("enrich query cold, of the other checkout", "0.5", _small("query, cold"), most=0.5),
    Target("code location loaded, of the other checkout", "0.6", _small("location load"), most=0.6),
    Target("Dagster's storage per batch, the span that takes most", "0.5 MB", _storage, most=0.5, form="{:.2f} MB"),
    Target(
        "fairness: 50 rows beside long lists, to alone",
        "2",
        lambda results: results["fairness"]["fairness"]["slower"],
        most=2,
    ),
    Target(
        "fairness: the long lists lose",
        "5 %",
        lambda results: results["fairness"]["fairness"]["loses"],
        most=0.05,
        form="{:.1%}",
    ),
)
"""The table of the work on speed. The other checkout is commit d9b7f17."""
