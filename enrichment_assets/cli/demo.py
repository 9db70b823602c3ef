"""`enrich demo`: a sample list through every part of the platform, against the sandbox, with a report at the end."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.settings import Settings
    from enrichment_assets.store.hq import Hq

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SAMPLE = EXAMPLES / "apollo_people.csv"
"""48 made-up people at 12 made-up companies, in the shape of an Apollo export."""

CLIENT, PIPELINE, WRITING = "demo", "full-demo", "research-and-write"
SAMPLES = {WRITING: EXAMPLES / "companies.csv"}
"""Pipeline -> its own sample list: four made-up companies."""

PROFILE = EXAMPLES / "client_profile.yaml"
"""What the demo's client offers: prompts read it."""

FEW_PEOPLE = 3
"""People of a company that the demo writes to."""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("demo")(demo)


def demo(
    system: Annotated[str | None, typer.Argument(help="A system to show; without one, the usual sample.")] = None,
    file: Annotated[Path | None, typer.Option(help="Another list to run instead of the sample.")] = None,
    pipeline: Annotated[str, typer.Option(help="The pipeline to run.")] = PIPELINE,
    listed: Annotated[bool, typer.Option("--list", help="Show the systems that there are, and run nothing.")] = False,
) -> None:
    """Upload a sample list, run a pipeline with synchronous and asynchronous steps over it, and report.

    Everything is real but the providers: those are the sandbox, a local server that speaks their HTTP contracts, so
    no key is needed and nothing is paid. The run stays in Dagster's history: see it with `enrich up`.
    With a system (--list shows them) its own sample goes through its own pipeline, and its tables are shown at the end.
    With --pipeline research-and-write a list of companies becomes graded leads and drafts, with a page to look at.

    Example: enrich demo agency

    Example: enrich demo --pipeline research-and-write
    """
    if listed:
        from enrichment_assets.cli.demo_systems import list_systems

        list_systems()
    elif system is not None:
        from enrichment_assets.cli.demo_systems import show_system

        show_system(system, given={"--file": file is not None, "--pipeline": pipeline != PIPELINE})
    else:
        _show_sample(file, pipeline)


def _show_sample(file: Path | None, pipeline: str) -> None:
    import time
    from dataclasses import replace

    from enrichment_assets.assets.instance import InstancePartitions
    from enrichment_assets.cli.running import run_batch
    from enrichment_assets.installation.databases import open_databases
    from enrichment_assets.receiver.process import ReceiverProcess
    from enrichment_assets.sandbox import SandboxProcess
    from enrichment_assets.services.batches.launching import launch
    from enrichment_assets.services.catalog.configuration import add_client, list_clients
    from enrichment_assets.services.uploads.upload import upload_file
    from enrichment_assets.settings import Settings

    started = time.monotonic()
    settings = Settings.from_environment()
    hq = opened_hq(settings)
    say(f"Home: {settings.home}")
    open_databases(settings)
    with ReceiverProcess(settings) as receiver, SandboxProcess(callback_delay=1.0, miss=0.08) as sandbox:
        settings = replace(settings, receiver_url=receiver.url, sandbox_url=sandbox.url)
        export(settings)
        if CLIENT not in {client.slug for client in list_clients(hq)}:
            add_client(hq, CLIENT, "Demo client", actor=actor())
        if pipeline == WRITING:
            _prepare_writing(hq, settings)
        upload = upload_file(hq, settings, file or SAMPLES.get(pipeline, SAMPLE), CLIENT, actor=actor())
        known = " (known already)" if upload.already_known else ""
        say(f"Uploaded {upload.filename}{known}: {upload.rows} rows, {upload.rejected} rejected")
        launched = launch(
            hq,
            settings,
            upload.upload_id,
            pipeline,
            client=CLIENT,
            add_partition=InstancePartitions(settings).add,
            actor=actor(),
        )
        say(f"Launched batch {launched.batch_key}: {len(launched.steps)} steps over {launched.items} items")
        run_batch(hq, settings, launched.batch_key, workflows=None, wait=True)
    _report(hq, settings, launched.batch_key, time.monotonic() - started)
    if pipeline == WRITING:
        _write_page(hq, settings, launched.batch_key)


def _prepare_writing(hq: Hq, settings: Settings) -> None:
    """Give the demo's client an offer to write about, and few people at each company."""
    from enrichment_assets.services.catalog.clients import set_client_config
    from enrichment_assets.services.catalog.profiles import set_profile

    set_profile(hq, CLIENT, file=PROFILE, actor=actor())
    few = {"parameters.limit": FEW_PEOPLE}
    set_client_config(hq, settings, CLIENT, "find-people-via-hunter", set_values=few, actor=actor())


def _write_page(hq: Hq, settings: Settings, batch_key: str) -> None:
    """The page about the batch, beside the home's other files."""
    from enrichment_assets.services.insight.html_report import write_report

    page = settings.home / f"{batch_key}.html"
    write_report(hq, settings, batch_key, page)
    say(f"\nGrades with their reasons, and drafts with the facts that they rest on: {page}")


def export(settings: Settings) -> None:
    """What runs in this process read from the environment."""
    import os

    os.environ["ENRICH_HOME"] = str(settings.home)
    os.environ["ENRICH_RECEIVER_URL"] = settings.receiver_url
    os.environ["ENRICH_SANDBOX_URL"] = settings.sandbox_url or ""


def activation() -> str:
    """The line before commands that are told, where the program cannot be found yet."""
    return "" if shutil.which("enrich") else "  source .venv/bin/activate\n"


def _report(hq: Hq, settings: Settings, batch_key: str, seconds: float) -> None:
    from enrichment_assets.cli.batch import print_status
    from enrichment_assets.services.batches.status import status
    from enrichment_assets.warehouse import open_warehouse

    one = status(hq, settings, batch_key)
    print_status(one)
    with open_warehouse(settings) as warehouse:
        for model in ("final_leads", "person_work_history"):
            row = warehouse.execute(f"select count(*) from {model} where batch_key = ?", [batch_key]).fetchone()
            say(f"{model}: {row[0] if row else 0} rows")
    say(f"Rows in {one.rows} = {one.items} items + {one.rejected} rejected. {seconds:.0f} s in all.\n")
    say(
        f"Next:\n{activation()}"
        f'  enrich query "select full_name, title, company_name, email from final_leads"\n'
        f'  enrich query "select person_name, organisation_name, title from person_work_history"\n'
        f"  enrich export {batch_key} final_leads --to leads.csv\n"
        f"  enrich stats {batch_key}\n"
        "  enrich up --sandbox        (then open http://127.0.0.1:3000)"
    )
