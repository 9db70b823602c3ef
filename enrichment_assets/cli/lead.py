"""`enrich lead ...`: one lead by hand, and where a lead stands that somebody asked for (docs/sources.md)."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.ids import LARGEST_ID
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say
from enrichment_assets.domain.sources import BY_HAND, Window

if TYPE_CHECKING:
    from enrichment_assets.services.sources.leads import Job

app = typer.Typer(name="lead", help="One lead by hand, and where it stands.", no_args_is_help=True)


@app.command("add")
def add(
    values: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...", help="What is known of it.")],
    client: Annotated[str, typer.Option("--client", help="Whose lead it is.")],
    pipeline: Annotated[str, typer.Option("--pipeline", help="The pipeline that it goes through.")],
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", help="NAME=field, repeatable: what a name is that is not recognised."),
    ] = None,
    gather: Annotated[
        Window, typer.Option("--gather", help="Leads of the same hour or day share a batch.")
    ] = Window.HOUR,
    as_json: AsJson = False,
) -> None:
    """Take one lead: it goes into the open batch of this client and pipeline, or opens one.

    Its job's id is that of its item: `enrich lead show ID` says where it stands.

    Example: enrich lead add --client acme --pipeline apollo-basic first_name=Ada company_domain=example.com
    """
    from enrichment_assets.assets.instance import InstancePartitions
    from enrichment_assets.installation.running_stack import running_stack
    from enrichment_assets.services.shapes import jobs as shapes
    from enrichment_assets.services.sources.gathering import Into
    from enrichment_assets.services.sources.leads import add_leads, get_job
    from enrichment_assets.services.uploads.options import parse_mapping
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    into = Into(client, pipeline, BY_HAND, "hand", gather, parse_mapping(mapping or []))
    partitions = InstancePartitions(settings)
    done = add_leads(hq, settings, into, [_cells(values)], actor=actor(), add_partition=partitions.add)
    job = get_job(hq, settings, done.jobs[0])
    if as_json:
        print_json(shapes.Job.of(job))
        return
    say(f"job {job.job_id} in batch {job.batch}, row {job.row_number}")
    if running_stack(settings) is None:
        say(f"next: enrich run {job.batch} --wait")
    else:
        say("the running `enrich up` works on it from here")
    say(f"then: enrich lead show {job.job_id}")


def _cells(values: list[str]) -> dict[str, str]:
    """`["state=TX"]` -> `{"state": "TX"}`; a value keeps its blanks."""
    cells: dict[str, str] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise typer.BadParameter(f"give NAME=VALUE, not {text!r}")
        if name.strip() in cells:
            raise typer.BadParameter(f"{name.strip()} is given twice")
        cells[name.strip()] = value
    return cells


@app.command("show")
def show(
    job: Annotated[int, typer.Argument(min=1, max=LARGEST_ID, help="The job's id.")],
    client: Annotated[str | None, typer.Option("--client", help="It has to be this client's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show where a lead stands that was asked for, step by step.

    Example: enrich lead show 4711
    """
    from enrichment_assets.services.shapes import jobs as shapes
    from enrichment_assets.services.sources.leads import get_job
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    found = get_job(opened_hq(settings), settings, job, client)
    if as_json:
        print_json(shapes.Job.of(found))
        return
    _print(found)


def _print(job: Job) -> None:
    from enrichment_assets.cli.tables import print_table

    ended = "" if job.ended_at is None else f" since {job.ended_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    why = "" if job.reason is None else f": {job.reason}"
    say(f"job {job.job_id} of {job.client} is {job.state.value}{ended}{why}")
    children = f", and {job.children} items that came of it" if job.children else ""
    say(f"row {job.row_number} of batch {job.batch} ({job.pipeline}){children}")
    rows = [(step.workflow, step.status, step.outcome, step.reason) for step in job.steps]
    print_table(("workflow", "status", "outcome", "why"), rows, empty="its pipeline has no steps")
    say(f"its values: enrich explain {job.batch} {job.job_id}")
