"""What the long crash suite did and found, and its tables."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from enrichment_assets.sandbox.billing import fingerprint
from tests.chaos.invariants import KEYED, broken, double_charges
from tests.chaos.town import LEASE, Town

AT_RANDOM = "killed at random: "


@dataclass
class Tally:
    """What was done, how often, and what was found wrong. `points`: scene, point, whether a process came there."""

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
        return [f"{scene} {point}" for scene, point, came in self.points if not came]

    def struck(self, scene: str, point: object, came: bool) -> None:
        """A process was to be struck at a named point."""
        self.done[scene] += 1
        self.points.append((scene, str(point), came))
        self.say(f"{scene} {point}")

    def judge(self, place: Town, batch: str, rows: int, what: str, *, again: bool = False) -> None:
        """Finish a batch and look at it; `again`: its items were counted already, and an operator has retried calls."""
        took = place.finish(batch)
        if took > 2 * LEASE and not again:
            self.found(0, [f"{what}: finished after {took:.1f} s, two lease periods are {2 * LEASE:.0f} s"])
        if took > self.slowest:
            self.slowest, self.slowest_after = took, what
        self.found(0 if again else rows, [f"{what}: {sentence}" for sentence in broken(place, batch, rows)])

    def found(self, rows: int, wrong: list[str]) -> None:
        """The end of a batch of so many rows."""
        self.items += rows
        self.wrong += wrong
        for sentence in wrong:
            self.say(f"WRONG {sentence}")

    def say(self, sentence: str) -> None:
        """Progress, for whoever waits."""
        print(f"{time.monotonic() - self.began:8.1f} s  {sentence}", file=sys.stderr, flush=True)


def report(place: Town, tally: Tally, console: Console) -> bool:
    """Print the tables; True when every law was kept."""
    charged = double_charges(place)
    if tally.points:
        console.print(_points(tally))
    console.print(_sums(place, tally, charged))
    for sentence in (*tally.wrong, *(f"never reached: {name}" for name in tally.missed)):
        console.print(sentence, highlight=False)
    for bill in charged:
        console.print(f"charged twice: {bill}", highlight=False)
    return not (charged or tally.wrong or tally.missed)


def _points(tally: Tally) -> Table:
    table = Table(title=f"{len(tally.points)} named points")
    for column in ("scene", "point", "reached"):
        table.add_column(column, overflow="fold")
    last = ""
    for scene, point, came in tally.points:
        table.add_row(scene if scene != last else "", point, "yes" if came else "NO")
        last = scene
    return table


def _sums(place: Town, tally: Tally, charged: list[dict[str, object]]) -> Table:
    table = Table(title="Crashes")
    table.add_column("what")
    table.add_column("times", justify="right")
    for what, times in tally.done.items():
        table.add_row(what, str(times))
    table.add_row("named points", str(len(tally.points)))
    table.add_row("random kills", str(tally.kills))
    table.add_section()
    bill = place.sandbox.billing(subjects=False)
    batches = place.rows("select count(*) as n, count(*) filter (where finished_at is null) as open from batches")[0]
    kept = place.rows("select count(*) as n from batch_items")[0]["n"]
    with_keys = {fingerprint(slug) for slug in KEYED}
    keyless = sum(1 for one in charged if one["key"] not in with_keys)
    table.add_row("batches", str(batches["n"]))
    table.add_row("batches left unfinished", str(batches["open"]))
    table.add_row("items", str(tally.items))
    table.add_row("items lost", str(tally.items - kept))
    table.add_row("slowest finish after the last crash, s", f"{tally.slowest:.1f} ({tally.slowest_after})")
    table.add_row("calls of the sandbox / charged", f"{bill['calls']} / {bill['charged']}")
    for row in place.rows("select state, count(*) as n from provider_calls group by state order by state"):
        table.add_row(f"ledger rows {row['state']}", str(row["n"]))
    table.add_row("calls of unknown fate that an operator retried", str(sum(place.retried.values())))
    table.add_row("subjects charged twice by that", str(len(bill["double_charges"]) - len(charged)))
    table.add_row("other double charges, with idempotency keys", str(len(charged) - keyless))
    table.add_row("other double charges, without", str(keyless))
    table.add_row("points that were never reached", str(len(tally.missed)))
    table.add_row("broken laws", str(len(tally.wrong)))
    table.add_row("took, s", f"{time.monotonic() - tally.began:.0f}")
    return table
