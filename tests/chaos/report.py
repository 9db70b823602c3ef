"""What the long crash suite did and found, and its tables."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from enrichment_assets.sandbox.billing import fingerprint
from tests.chaos.crash_harness import LEASE, CrashHarness
from tests.chaos.invariants import KEYED, broken, double_charges

AT_RANDOM = "killed at random: "


@dataclass
class Report:
    """What was done, how often, and what was found wrong. `points`: scenario, point, whether a process came there."""

    done: Counter[str] = field(default_factory=Counter)
    points: list[tuple[str, str, bool]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    items: int = 0
    slowest: float = 0.0
    slowest_after: str = ""
    began: float = field(default_factory=time.monotonic)

    @property
    def kills(self) -> int:
        """Processes that were killed at random."""
        return sum(times for what, times in self.done.items() if what.startswith(AT_RANDOM))

    @property
    def missed(self) -> list[str]:
        """Points that no process came to."""
        return [f"{scenario} {point}" for scenario, point, came in self.points if not came]

    def struck(self, scenario: str, point: object, came: bool) -> None:
        """A process was to be struck at a named point."""
        self.done[scenario] += 1
        self.points.append((scenario, str(point), came))
        self.say(f"{scenario} {point}")

    def judge(self, harness: CrashHarness, batch: str, rows: int, what: str, *, again: bool = False) -> None:
        """Finish a batch and look at it; `again`: its items were counted already, and an operator has retried calls."""
        took = harness.finish(batch)
        if took > 2 * LEASE and not again:
            self.found(0, [f"{what}: finished after {took:.1f} s, two lease periods are {2 * LEASE:.0f} s"])
        if took > self.slowest:
            self.slowest, self.slowest_after = took, what
        self.found(0 if again else rows, [f"{what}: {sentence}" for sentence in broken(harness, batch, rows)])

    def found(self, rows: int, wrong: list[str]) -> None:
        """The end of a batch of so many rows."""
        self.items += rows
        self.wrong += wrong
        for sentence in wrong:
            self.say(f"WRONG {sentence}")

    def say(self, sentence: str) -> None:
        """Progress, for whoever waits."""
        print(f"{time.monotonic() - self.began:8.1f} s  {sentence}", file=sys.stderr, flush=True)


def print_report(harness: CrashHarness, report: Report, console: Console) -> bool:
    """Print the tables; True when every law was kept."""
    charged = double_charges(harness)
    if report.points:
        console.print(_points(report))
    console.print(_sums(harness, report, charged))
    for sentence in (*report.wrong, *(f"never reached: {name}" for name in report.missed)):
        console.print(sentence, highlight=False)
    for bill in charged:
        console.print(f"charged twice: {bill}", highlight=False)
    return not (charged or report.wrong or report.missed)


def _points(report: Report) -> Table:
    table = Table(title=f"{len(report.points)} named points")
    for column in ("scenario", "point", "reached"):
        table.add_column(column, overflow="fold")
    last = ""
    for scenario, point, came in report.points:
        table.add_row(scenario if scenario != last else "", point, "yes" if came else "NO")
        last = scenario
    return table


def _sums(harness: CrashHarness, report: Report, charged: list[dict[str, object]]) -> Table:
    table = Table(title="Crashes")
    table.add_column("what")
    table.add_column("times", justify="right")
    for what, times in report.done.items():
        table.add_row(what, str(times))
    table.add_row("named points", str(len(report.points)))
    table.add_row("random kills", str(report.kills))
    table.add_section()
    bill = harness.sandbox.billing(subjects=False)
    batches = harness.rows("select count(*) as n, count(*) filter (where finished_at is null) as open from batches")[0]
    kept = harness.rows("select count(*) as n from batch_items")[0]["n"]
    with_keys = {fingerprint(slug) for slug in KEYED}
    keyless = sum(1 for one in charged if one["key"] not in with_keys)
    table.add_row("batches", str(batches["n"]))
    table.add_row("batches left unfinished", str(batches["open"]))
    table.add_row("items", str(report.items))
    table.add_row("items lost", str(report.items - kept))
    table.add_row("slowest finish after the last crash, s", f"{report.slowest:.1f} ({report.slowest_after})")
    table.add_row("calls of the sandbox / charged", f"{bill['calls']} / {bill['charged']}")
    for row in harness.rows("select state, count(*) as n from provider_calls group by state order by state"):
        table.add_row(f"ledger rows {row['state']}", str(row["n"]))
    table.add_row("calls of unknown fate that an operator retried", str(sum(harness.retried.values())))
    table.add_row("subjects charged twice by that", str(len(bill["double_charges"]) - len(charged)))
    table.add_row("other double charges, with idempotency keys", str(len(charged) - keyless))
    table.add_row("other double charges, without", str(keyless))
    table.add_row("points that were never reached", str(len(report.missed)))
    table.add_row("broken laws", str(len(report.wrong)))
    table.add_row("took, s", f"{time.monotonic() - report.began:.0f}")
    return table
