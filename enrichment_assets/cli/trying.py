"""`enrich try`: one workflow asked about a few rows, everything shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import on_terminal
from enrichment_assets.cli.stopping import stoppable
from enrichment_assets.domain.errors import EnrichError

if TYPE_CHECKING:
    from enrichment_assets.services.tries.report import TryReport

INTERRUPTED_EXIT_CODE = 130
"""What a shell gives a program that Ctrl-C ended."""


class TryInterruptedError(EnrichError):
    """Somebody stopped the try. The call that was under way was finished and stored."""

    default_code = "try.interrupted"

    exit_code = INTERRUPTED_EXIT_CODE


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("try")(try_)


def try_(
    workflow: Annotated[str | None, typer.Argument(help="The workflow's slug; not with --show.")] = None,
    row: Annotated[
        str | None, typer.Option("--row", help="BATCH:N, a row of a batch with what the steps before it gave.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="field=value, repeatable; a column of a list is original.NAME=value."),
    ] = None,
    client: Annotated[
        str | None, typer.Option("--client", help="For whom; needed with --set and several clients.")
    ] = None,
    pilot: Annotated[int, typer.Option("--pilot", min=1, max=100, help="So many rows, from that one on.")] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask again, and pay, what was asked before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the request: nobody is called.")] = False,
    wait: Annotated[
        float, typer.Option("--wait", min=0, max=3600, help="Seconds to wait for an answer that comes later.")
    ] = 60.0,
    show: Annotated[
        str | None, typer.Option("--show", help="Key of an earlier try: what became of it, and what came meanwhile.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Try a workflow on a row: see the request, the raw answer, the fields it gives, and what it costs.

    The call goes through the ledger, the budgets and the limits like every other; no leads and no tables are made of
    it. An answer to the same question that is there already is shown again and costs nothing.

    Example: enrich try find-email-via-hunter --set first_name=Ada --set last_name=Byron --set company_domain=acme.com
    """
    from enrichment_assets.cli.tried import print_try
    from enrichment_assets.services.shapes import tries as shapes
    from enrichment_assets.services.tries import running
    from enrichment_assets.services.tries.drafting import Wanted
    from enrichment_assets.settings import Settings

    if (workflow is None) == (show is None):
        raise EnrichError("Give a workflow to try, or --show with an earlier try, one of the two.", code="option.try")
    settings = Settings.from_environment()
    hq = opened_hq(settings)
    if dry_run and workflow is not None:
        report = running.plan_try(hq, settings, Wanted(workflow, client, row, _given(set_), pilot, fresh))
    else:
        with stoppable() as stop, _waiting(quiet=as_json) as on_wait:
            if workflow is not None:
                wanted = Wanted(workflow, client, row, _given(set_), pilot, fresh)
                report = running.make_try(hq, settings, wanted, actor=actor(), wait=wait, on_wait=on_wait, stop=stop)
            else:
                assert show is not None  # noqa: S101
                report = running.look_at_try(hq, settings, show, wait=wait, on_wait=on_wait, stop=stop)
        if stop.is_set() and not report.settled:
            raise TryInterruptedError(
                "stopped; a call that was under way was finished and is stored. "
                f"Look again: enrich try --show {report.key}"
            )
    if as_json:
        print_json(shapes.Try.of(report))
    else:
        print_try(report)
    _exit(report)


def _given(assignments: list[str] | None) -> dict[str, object] | None:
    from enrichment_assets.cli.assignments import parse_values

    return parse_values(assignments, "--set") if assignments else None


def _exit(report: TryReport) -> None:
    """Exit code 1 where a row ended without an answer, so that a script notices."""
    failed = {"FAILED", "AMBIGUOUS"}
    if any(row.status in failed for row in report.rows):
        raise typer.Exit(1)


@contextmanager
def _waiting(*, quiet: bool) -> Iterator[Callable[[float], None] | None]:
    """Tells a person at a terminal how long is left."""
    if quiet or not on_terminal(err=True):
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status("asking ...") as status:
        yield lambda left: status.update(f"waiting for the answer, {left:.0f} s more ...")
