"""`enrich workflow`: the registry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.hints import with_hints
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say
from enrichment_assets.cli.workflow_test import test

app = typer.Typer(help="Workflows: list, show, check, test, add, processors, enable, disable.", no_args_is_help=True)

_BRIEF = ("workflow", "provider", "mode", "about", "price", "state")
Slug = Annotated[str, typer.Argument(help="The workflow's slug.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List every registered workflow, in the usual order of steps.

    Example: enrich workflow list
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.domain.money import Money
    from enrichment_assets.services.catalog.configuration import list_workflows
    from enrichment_assets.services.shapes import catalog as shapes

    hq = opened_hq()
    found = list_workflows(hq)
    if as_json:
        print_json(map(shapes.Workflow.of, found))
        return
    rows = []
    for row in found:
        workflow = row.definition
        paid = workflow.price
        price = paid.said if paid.tokens else Money(paid.estimate, paid.currency) if paid.estimate else "free"
        state = row.origin if workflow.enabled else f"{row.origin}, disabled"
        rows.append((workflow.step, workflow.slug, workflow.provider, workflow.mode, workflow.entity, price, state))
    print_table(
        ("step", "workflow", "provider", "mode", "about", "price", "state"), rows, empty="no workflows", brief=_BRIEF
    )


@app.command()
def show(slug: Slug, as_json: AsJson = False) -> None:
    """Show one workflow as YAML: save it, edit it, and add it again.

    Example: enrich workflow show match-person-via-apollo > my-match.yaml
    """
    from enrichment_assets.services.catalog.configuration import get_workflow
    from enrichment_assets.services.shapes import catalog as shapes

    hq = opened_hq()
    found = get_workflow(hq, slug)
    if as_json:
        print_json(shapes.Workflow.of(found))
        return
    import yaml

    written = found.definition.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    typer.echo(yaml.safe_dump(written, sort_keys=False, allow_unicode=True, width=120), nl=False)


@app.command()
def processors(
    client: Annotated[str | None, typer.Option("--client", help="As the workflows run for this client.")] = None,
    as_json: AsJson = False,
) -> None:
    """List who processes what each workflow sends, in which regions, and to whose people it is closed.

    Example: enrich workflow processors --client acme
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.catalog.processors import list_processing
    from enrichment_assets.services.shapes import catalog as shapes

    found = [shapes.WorkflowProcessor.of(one) for one in list_processing(opened_hq(), client)]
    if as_json:
        print_json(found)
        return
    rows = []
    for one in found:
        helpers = ", ".join(f"{sub['name']} ({', '.join(sub['regions']) or 'not known'})" for sub in one.subprocessors)
        unknown = " (unknown: asked)" if one.not_for_unknown == "ask" else ""
        processed = "" if one.provider == "local" else ", ".join(one.regions) or "not known"
        who = "nobody: computed here" if one.provider == "local" else one.processor or "not said"
        rows.append((one.workflow, one.about, who, processed, helpers, ", ".join(one.not_for) + unknown))
    print_table(
        ("workflow", "about", "processor", "regions", "subprocessors", "closed to"),
        rows,
        empty="no workflow sends anything",
        brief=("workflow", "processor", "regions", "closed to"),
    )


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="A YAML file; see docs/workflows.md.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="A provider's key may go to another address than the provider's.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Register a workflow from a YAML file, or replace the one of the same slug.

    Its asset is in the UI after the code location was reloaded; batches launched before keep what they had.

    Example: enrich workflow add my-step.yaml
    """
    from enrichment_assets.services.catalog.configuration import add_workflow
    from enrichment_assets.services.shapes import catalog as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    saved = add_workflow(hq, settings, file, replace=replace, actor=actor())
    for warning in saved.warnings:
        say(f"warning: {warning}", err=True)
    if as_json:
        print_json(shapes.Saved.of(saved))
    else:
        say(f"workflow {saved.slug}: {saved.change}")


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="YAML files of workflows.", metavar="FILE...")],
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with workflow files, by line and all at once; nothing is saved. Exit code 1: something is.

    Example: enrich workflow check examples/my-step.yaml
    """
    from enrichment_assets.domain.visible import visible
    from enrichment_assets.services.catalog.checking import check_files
    from enrichment_assets.services.shapes import catalog as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    checked = check_files(hq, settings, files)
    if as_json:
        print_json(map(shapes.CheckedFile.of, checked))
    for found in () if as_json else checked:
        for kind, findings in (("", found.problems), ("warning: ", found.warnings)):
            for finding in findings:
                where = f"{found.file}:{finding.line}" if finding.line else found.file
                place = f"{finding.place}: " if finding.place else ""
                typer.echo(visible(f"{where}: {kind}{place}{with_hints(finding.message, finding.hints)}"))
        if not found.problems:
            typer.echo(f"{found.file}: workflow {found.slug} can be added")
    if any(found.problems for found in checked):
        raise typer.Exit(1)


app.command("test")(test)


@app.command()
def disable(slug: Slug) -> None:
    """Switch a workflow off for all clients: a pipeline that names it is not launched until it is on again.

    Example: enrich workflow disable reveal-phone-via-apollo
    """
    _switch(slug, False)


@app.command()
def enable(slug: Slug) -> None:
    """Switch a workflow on again.

    Example: enrich workflow enable reveal-phone-via-apollo
    """
    _switch(slug, True)


def _switch(slug: str, enabled: bool) -> None:
    from enrichment_assets.services.catalog.configuration import set_workflow_enabled

    hq = opened_hq()
    set_workflow_enabled(hq, slug, enabled, actor=actor())
    say(f"workflow {slug} is {'enabled' if enabled else 'disabled'}")
