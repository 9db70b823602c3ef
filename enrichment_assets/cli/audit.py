"""`enrich audit`: who changed what. It was called `enrich history`, which still works."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json

if TYPE_CHECKING:
    from enrichment_assets.store.audit.operator_actions import OperatorAction

DAY, MINUTE = "%Y-%m-%d", "%Y-%m-%dT%H:%M"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("audit")(audit)
    app.command("history", hidden=True)(audit)


def audit(
    client: Annotated[str | None, typer.Option("--client", help="Only what concerns this client.")] = None,
    batch: Annotated[str | None, typer.Option("--batch", help="Only what concerns this batch.")] = None,
    actor: Annotated[str | None, typer.Option("--actor", help="Only what this one did: cli:ada, sensor:inbox.")] = None,
    code: Annotated[
        str | None, typer.Option("--code", help="Only this action, or all of its noun: budget.set, budget.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=[DAY, MINUTE], help="From this day or minute on, in UTC.")
    ] = None,
    before: Annotated[
        int | None, typer.Option("--before", min=1, help="Only what has a lower number: the page behind that one.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many, the latest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show who changed what, and when: the latest change first, with what it was before.

    Kept is what people decide: clients, workflows, budgets, launches, retries, corrections. What a batch then does by
    itself is in `enrich status` and `enrich stats`.

    Who: cli:LOGIN typed a command, user:LOGIN logged in, api-key:NAME came through the HTTP API, sensor:NAME acted for
    the platform (inbox: a file in the inbox folder). Nobody can change or delete what is written here.

    Example: enrich audit --client acme --code budget --since 2026-11-01
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.operations.history import list_history
    from enrichment_assets.services.shapes import history as shapes

    since = None if since is None else since.replace(tzinfo=UTC)
    filters = (client, batch, actor, code, since, before)
    found = list_history(
        opened_hq(),
        client=client,
        batch=batch,
        actor=actor,
        code=code,
        since=since,
        before=before,
        limit=limit,
    )
    if as_json:
        print_json(map(shapes.OperatorAction.of, found))
        return
    print_table(
        ("id", "at", "actor", "action", "name", "client", "batch", "change"),
        [
            (one.id, one.at.astimezone(UTC), one.actor, one.action, one.name, one.client, one.batch, _change(one))
            for one in found
        ],
        empty="nothing was changed" + (" that matches" if any(filters) else " yet"),
        once=("client", "batch", "actor"),
        brief=("id", "at", "actor", "action", "name", "change"),
    )


def _change(one: OperatorAction) -> str:
    """`amount 100.00 -> 250.00, note x`: what was before only where it was something."""
    before, after = one.before or {}, one.after or {}
    return ", ".join(
        f"{key} {_text(before[key])} -> {_text(after[key])}"
        if key in before and key in after
        else f"{key} {_text(after[key])}"
        if key in after
        else f"{key} was {_text(before[key])}"
        for key in {**before, **after}
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
