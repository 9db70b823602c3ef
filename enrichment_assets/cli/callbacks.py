"""`enrich callbacks`: see what providers sent back, why a callback is dead, and put it back in line.

What belongs here: parsing options and printing. The work is in `services.operations.callbacks`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.kept_messages import say_kept
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

app = typer.Typer(help="Callbacks of asynchronous providers: list, show, replay.", no_args_is_help=True)


@app.command("list")
def list_(
    dead: Annotated[bool, typer.Option("--dead", help="Only callbacks that could not be read or applied.")] = False,
    batch: Annotated[str | None, typer.Option("--batch", help="Only this batch.")] = None,
    client: Annotated[str | None, typer.Option("--client", help="Only this client.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, the newest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List callbacks, the newest first.

    Example: enrich callbacks list --dead --client acme
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.operations.callbacks import list_callbacks
    from enrichment_assets.services.shapes import callbacks as shapes

    hq = opened_hq()
    found = list_callbacks(hq, dead=dead, batch=batch, client=client, limit=limit)
    if as_json:
        print_json(map(shapes.Callback.of, found))
        return
    print_table(
        ("id", "status", "received", "client", "batch", "workflow", "bytes", "error"),
        [
            (row.id, row.status, row.received_at, row.client, row.batch_key, row.workflow, row.size, row.error)
            for row in found
        ],
        empty="no callbacks" + (" are dead" if dead else ""),
        once=("client", "batch"),
        brief=("id", "status", "received", "batch", "workflow", "error"),
    )


@app.command("show")
def show_(
    inbox_id: Annotated[int, typer.Argument(metavar="ID", help="The callback's id, from `enrich callbacks list`.")],
    max_bytes: Annotated[int, typer.Option("--bytes", min=0, help="How much of the body to print.")] = 4000,
    save: Annotated[Path | None, typer.Option("--save", help="Write the raw body, as received, to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show one callback: where it belongs, its headers, its body, and what is wrong with it.

    Example: enrich callbacks show 41 --save answer.bin
    """
    from dataclasses import asdict

    from enrichment_assets.services.insight.target_files import checked_target
    from enrichment_assets.services.operations.callbacks import show_callback
    from enrichment_assets.services.shapes import callbacks as shapes

    hq = opened_hq()
    detail = show_callback(hq, inbox_id)
    if save is not None:
        checked_target(save).write_bytes(detail.body)
    if as_json:
        print_json(shapes.CallbackDetail.of(detail, max_bytes))
        return
    say_kept(asdict(detail.summary), detail.headers, detail.rendered_body(max_bytes), width=13)


@app.command("replay")
def replay(
    inbox_id: Annotated[int | None, typer.Argument(metavar="[ID]", help="One dead callback.")] = None,
    batch: Annotated[str | None, typer.Option("--batch", help="All dead callbacks of this batch.")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="Goes with --batch: says that dead ones are meant.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put dead callbacks back in line, for instance after a mapping was mended. No provider is called.

    The callback sensor starts a run for them by itself; `enrich run BATCH` does it now.

    Examples: enrich callbacks replay 41, or: enrich callbacks replay --batch acme-2026-11 --dead
    """
    from enrichment_assets.services.operations.callbacks import replay_callbacks
    from enrichment_assets.services.shapes import callbacks as shapes

    if batch is not None and not dead:
        raise typer.BadParameter("a batch is replayed with --dead: only its dead callbacks are put back")
    hq = opened_hq()
    report = replay_callbacks(hq, inbox_id=inbox_id, batch=batch, actor=actor())
    if as_json:
        print_json(shapes.CallbackReplay.of(report))
        return
    say(f"{len(report.inbox_ids)} callback(s) put back in line")
    for key in report.batches:
        say(f"the callback sensor takes them up; to apply them now: enrich run {key}")
