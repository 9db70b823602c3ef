"""`enrich pipeline`: named, ordered lists of workflows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.domain.pipeline import PipelineDefinition

app = typer.Typer(help="Pipelines: list, show, add.", no_args_is_help=True)

Client = Annotated[str | None, typer.Option("--client", help="The client whose pipeline it is; without it, shared.")]


@app.command("list")
def list_(
    client: Annotated[str | None, typer.Option("--client", help="Only this client's and shared ones.")] = None,
    as_json: AsJson = False,
) -> None:
    """List pipelines: shared ones first, then those of clients.

    Example: enrich pipeline list --client acme
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.catalog.configuration import list_pipelines
    from enrichment_assets.services.shapes import catalog as shapes

    hq = opened_hq()
    found = list_pipelines(hq, client)
    if as_json:
        print_json(map(shapes.Pipeline.of, found))
        return
    rows = [(row.definition.slug, row.client or "(all)", _steps(row.definition)) for row in found]
    print_table(("pipeline", "client", "steps"), rows, empty="no pipelines")


@app.command()
def show(
    slug: Annotated[str, typer.Argument(help="The pipeline's slug.")], client: Client = None, as_json: AsJson = False
) -> None:
    """Show one pipeline as YAML.

    Example: enrich pipeline show full-demo
    """
    from enrichment_assets.services.catalog.configuration import get_pipeline
    from enrichment_assets.services.shapes import catalog as shapes

    hq = opened_hq()
    found = get_pipeline(hq, slug, client)
    if as_json:
        print_json(shapes.Pipeline.of(found))
        return
    import yaml

    written = found.definition.model_dump(mode="json", exclude_defaults=True)
    typer.echo(yaml.safe_dump(written, sort_keys=False, allow_unicode=True, width=120), nl=False)


@app.command()
def add(
    source: Annotated[str, typer.Argument(help="A YAML file; with --steps, the pipeline's slug.", metavar="FILE|SLUG")],
    steps: Annotated[
        str | None, typer.Option("--steps", help="Workflow slugs: commas between steps, | within a waterfall.")
    ] = None,
    client: Client = None,
    as_json: AsJson = False,
) -> None:
    """Save a pipeline. An order that cannot work is refused, naming the step and the missing field.

    Example: enrich pipeline add acme-emails --steps normalise-name,normalise-domain,find-email-via-hunter --client acme
    """
    from enrichment_assets.services.catalog.configuration import add_pipeline, pipeline_from_steps
    from enrichment_assets.services.shapes import catalog as shapes

    pipeline: PipelineDefinition | Path = Path(source) if steps is None else pipeline_from_steps(source, steps)
    hq = opened_hq()
    saved = add_pipeline(hq, pipeline, client, actor=actor())
    if as_json:
        print_json(shapes.Saved.of(saved))
    else:
        say(f"pipeline {saved.slug}: {saved.change}; next: enrich launch UPLOAD --pipeline {saved.slug}")


def _steps(pipeline: PipelineDefinition) -> str:
    return ", ".join(" | ".join(members) for members in pipeline.groups)
