"""`enrich archive`, `restore`, `remove`, `archived`, `give-up`, `retention`: putting away what nobody needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.services.catalog.archiving import Put

Kind = Literal["client", "upload", "workflow", "pipeline", "batch"]
What = Annotated[Kind, typer.Argument(help="client, upload, workflow, pipeline or batch.")]
Name = Annotated[str, typer.Argument(help="Its slug or key; of an upload its id.")]
Client = Annotated[str | None, typer.Option("--client", help="Whose pipeline; without it, a shared one.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it: without it, it is only said what would be done.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("give-up")(give_up)
    app.command("archive")(archive)
    app.command("restore")(restore)
    app.command("remove")(remove)
    app.command("archived")(archived)
    app.command("retention")(retention)


def archive(kind: What, name: Name, client: Client = None, as_json: AsJson = False) -> None:
    """Take something out of lists, pickers and Dagster's partitions; `enrich restore` brings it back.

    A batch has to be finished or given up, a workflow in no pipeline and no open batch. Nothing is deleted.

    Example: enrich archive batch acme-1-apollo-basic-1
    """
    from enrichment_assets.assets.instance import InstancePartitions
    from enrichment_assets.services.catalog import archiving
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    done = archiving.archive(hq, settings, kind, name, client, partitions=InstancePartitions(settings), actor=actor())
    _print(done, as_json)


def restore(kind: What, name: Name, client: Client = None, as_json: AsJson = False) -> None:
    """Bring back something that was archived.

    Example: enrich restore upload 12
    """
    from enrichment_assets.assets.instance import InstancePartitions
    from enrichment_assets.services.catalog import archiving
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    done = archiving.restore(hq, settings, kind, name, client, partitions=InstancePartitions(settings), actor=actor())
    _print(done, as_json)


def remove(kind: What, name: Name, client: Client = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """Delete something for good that nothing depends on; what stands in the way is named.

    An upload goes with its kept bytes, a batch with its rows and files. A batch that called anybody stays: what was
    billed is never deleted (archive it).

    Example: enrich remove upload 12 --yes
    """
    from enrichment_assets.assets.instance import InstancePartitions
    from enrichment_assets.domain.errors import EnrichError
    from enrichment_assets.services.catalog import archiving
    from enrichment_assets.settings import Settings

    if not yes:
        raise EnrichError(f"this deletes {kind} {name} for good: add --yes", code="option.yes_to_remove")
    settings = Settings.from_environment()
    hq = opened_hq(settings)
    done = archiving.remove(hq, settings, kind, name, client, partitions=InstancePartitions(settings), actor=actor())
    _print(done, as_json)


def archived(as_json: AsJson = False) -> None:
    """List what is archived.

    Example: enrich archived
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.catalog.archiving import list_archived
    from enrichment_assets.services.shapes import catalog as shapes

    hq = opened_hq()
    found = list_archived(hq)
    if as_json:
        print_json(map(shapes.Archived.of, found))
        return
    rows = [(row["kind"], row["name"], row["client"], row["since"]) for row in found]
    print_table(("kind", "name", "client", "archived"), rows, empty="nothing is archived")


def give_up(
    batch: Annotated[str, typer.Argument(help="The batch's key.")], yes: Yes = False, as_json: AsJson = False
) -> None:
    """Let nothing more of a batch be sent. What is under way is finished and kept; the rest is skipped for good.

    For a batch that was launched with a wrong workflow: `enrich launch UPLOAD --pipeline P --replace BATCH` gives it up
    and takes what it has paid for.

    Example: enrich give-up acme-1-apollo-basic-1 --yes
    """
    from enrichment_assets.domain.errors import EnrichError
    from enrichment_assets.services.batches.replacing import give_up_batch
    from enrichment_assets.services.shapes import launches as shapes

    if not yes:
        raise EnrichError(
            f"what batch {batch} has not asked yet is then never asked: add --yes", code="option.yes_to_give_up"
        )
    hq = opened_hq()
    given_up = give_up_batch(hq, batch, actor=actor())
    if as_json:
        print_json(shapes.GivenUp.of(batch, given_up))
        return
    say(f"batch {batch} is given up: {given_up.skipped} steps are skipped, nothing more is sent")
    if given_up.under_way:
        say(f"{given_up.under_way} steps are under way; their answers are still taken: enrich run {batch}")
    if given_up.ambiguous:
        say(f"{given_up.ambiguous} calls are of unknown fate: enrich resolve {batch}")
    say(f"next: enrich archive batch {batch}")


def retention(
    days: Annotated[
        int | None,
        typer.Option("--days", min=1, help="Take out what is older. [default: ENRICH_RETENTION_DAYS, or 90]"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be taken out.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take out what is old and needed by nobody: Dagster's history, bodies of answers, files, leads told.

    All figures stay: costs, outcomes, sizes, hashes, what was mapped, the latest materialisation of every partition.
    A batch under way, a call that has not settled, an answer that may still be reused, a callback that was not applied,
    a message that is still to be sent: nothing of these is touched. Answers without their body cannot be replayed, and
    a list whose file is gone cannot be launched until it is uploaded again.

    Example: enrich retention --days 180 --dry-run
    """
    from enrichment_assets.installation.databases import open_databases
    from enrichment_assets.services.operations.retention import retain
    from enrichment_assets.services.shapes.retention import Retention
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    done = Retention.of(
        retain(
            hq,
            settings,
            open_databases(settings).dagster,
            days or settings.retention_days,
            dry_run=dry_run,
            actor=actor(),
        )
    )
    if as_json:
        print_json(done)
        return
    verb = "would be" if dry_run else "were"
    say(f"older than {done.days} days, {verb} taken out:")
    say(f"{done.runs} runs and {done.events} events of Dagster's history ({_megabytes(done.event_bytes)})")
    say(f"the bodies of {done.answers} answers ({_megabytes(done.answer_bytes)})")
    say(f"the bodies of {done.callbacks} callbacks ({_megabytes(done.callback_bytes)})")
    say(f"the kept files of {done.uploads} uploads ({_megabytes(done.upload_bytes)})")
    say(f"the data of {done.told_leads} leads that webhooks were told of ({_megabytes(done.told_lead_bytes)})")


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"


def _print(done: Put, as_json: bool) -> None:
    from enrichment_assets.services.shapes import catalog as shapes

    if as_json:
        print_json(shapes.PutAway.of(done))
    else:
        whose = f" of client {done.client}" if done.kind == "pipeline" and done.client else ""
        say(f"{done.kind} {done.name}{whose} is {done.change}")
