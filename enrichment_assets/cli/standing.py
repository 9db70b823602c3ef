"""How commands say why a batch stands where it stands, and which of its rows failed: `status`, `run`, `retry`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

import typer

from enrichment_assets.cli.hints import all_worded
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.services.batches.foresight import Hindrance
    from enrichment_assets.services.operations.failed_rows import FailedRows
    from enrichment_assets.services.operations.standing import Standing
    from enrichment_assets.store.batches.held_calls import HeldCalls


def print_standing(found: Sequence[Standing], *, title: str = "why they stand there") -> None:
    """Print why states stand where they stand, and what to do about it: once for all that have the same reason."""
    if not found:
        return
    typer.echo()
    typer.echo(title)
    told: dict[tuple[str, str], list[Standing]] = {}
    for one in found:
        told.setdefault((one.reason, all_worded(one.hints)), []).append(one)
    for (reason, remedy), same in told.items():
        for (states, status), equal in groupby(same, key=lambda one: (one.states, one.status)):
            workflows = [one.workflow for one in equal]
            each = " each" if len(workflows) > 1 else ""
            say(f"  {', '.join(workflows)}: {states} {status.lower().replace('_', ' ')}{each}", indent="    ")
        _say("why", reason)
        if remedy:
            _say("do", remedy)


def say_held_calls(found: Sequence[HeldCalls], currencies: Mapping[str, str], *, lead: str = "") -> None:
    """Say what became of the calls that were under way when a batch was held; nothing, where none was."""
    from enrichment_assets.domain.money import Money, shown_sum

    def total(amounts: Iterable[tuple[str, Decimal]]) -> str:
        return shown_sum(Money(amount, currencies.get(workflow, "")) for workflow, amount in amounts)

    calls, still, unknown = (sum(getattr(one, name) for one in found) for name in ("calls", "still", "unknown"))
    if not calls:
        return
    said = f"{calls} call(s) were under way, for {total((o.workflow, o.reserved) for o in found)} at most"
    if calls > still:
        said += f"; {calls - still} have ended and came to {total((o.workflow, o.came_to) for o in found)}"
    if unknown:
        said += f", the fate of {unknown} of them is unknown"
    if still:
        said += f"; {still} may still cost {total((o.workflow, o.may_cost) for o in found)}"
    say(lead + said)


def print_hindrances(found: Sequence[Hindrance], *, err: bool = False) -> None:
    """Print what would keep steps from being called, and what to do about it."""
    for one in found:
        say(f"  {one.workflow or 'the whole batch'}", err=err)
        _say("why", one.reason, err=err)
        _say("do", all_worded(one.hints), err=err)


def print_failed(found: FailedRows, batch: str) -> None:
    """Print the rows that failed, each with its reason and remedy."""
    if not found.rows:
        typer.echo("no row has failed")
        return
    for row in found.rows:
        kind = f"{row.status.lower()} ({row.error_class})" if row.error_class else row.status.lower()
        place = f"row {row.row_number}" if row.row_number else f"item {row.item_id}, a child"
        say(f"{place}: {row.who}: {row.workflow}: {kind}", indent="  ")
        _say("why", row.reason)
        _say("do", all_worded(row.hints))
    if found.total > len(found.rows):
        say(f"{len(found.rows)} of {found.total} are shown; --limit shows more")
    say(f"to try them again: enrich retry {batch}")


def _say(word: str, text: str, *, err: bool = False) -> None:
    lead = f"    {word:<4} "
    say(lead + text, err=err, indent=" " * (len(lead) - 4))
