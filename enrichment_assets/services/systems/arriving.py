"""How work arrives in a system's demo: a function for each kind that `registry/systems` names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.system import SystemDefinition
from enrichment_assets.home import prepare_home
from enrichment_assets.services.pulls.connecting import connect
from enrichment_assets.services.pulls.report import write_report
from enrichment_assets.services.pulls.syncing import sync
from enrichment_assets.services.uploads.options import UploadOptions
from enrichment_assets.services.uploads.search_plans import searches_of, upload_plan
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
"""The folder of sample lists and profiles, beside the package."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came in.

    Attributes:
        said: It, for a person.
        upload_id: An upload that the demo's pipeline is launched with; None: there is none, or it is launched.
        batch_key: The batch, where it is launched already; with no `upload_id` either, nothing is run.
        target: How many the batch is to have at most; None: as many as there are.
    """

    said: str
    upload_id: int | None = None
    batch_key: str | None = None
    target: int | None = None


def by_upload(hq: Hq, settings: Settings, system: SystemDefinition, actor: Actor) -> Arrived:
    """Upload the demo's sample, with columns mapped as its option `map` says; raises as `upload_file`."""
    sample = EXAMPLES / (system.demo.sample or "")
    said = UploadOptions(mapping=system.demo.options.get("map", {}))
    upload = upload_file(hq, settings, sample, system.demo.client, actor=actor, options=said)
    known = " (known already)" if upload.already_known else ""
    return Arrived(f"Uploaded {sample.name}{known}: {upload.rows} rows, {upload.rejected} rejected", upload.upload_id)


def by_pull(hq: Hq, settings: Settings, system: SystemDefinition, actor: Actor) -> Arrived:
    """Connect the demo's client to the pull that the demo names, fetch its figures, and write the page about them.

    Raises as `services.pulls.syncing.sync`.
    """
    client, options = system.demo.client, system.demo.options
    connect(hq, options["pull"], client, options["key"], actor=actor)
    done = sync(hq, settings, options["pull"], client)
    prepare_home(settings.home)
    page = settings.home / f"{client}-{options['pull']}.html"
    write_report(hq, client, page)
    days = f"days {done.first_day} to {done.last_day}"
    return Arrived(f"Fetched {done.synced:,} rows ({days}) out of {done.pages} answers; a page to look at: {page}")


def by_search_plan(hq: Hq, settings: Settings, system: SystemDefinition, actor: Actor) -> Arrived:
    """Make the plan that the demo's options describe (`industries`, `regions`, `target`); raises as `upload_plan`."""
    options = system.demo.options
    searches = searches_of(system.slug)
    plan = upload_plan(
        hq,
        settings,
        searches,
        system.demo.client,
        industries=options["industries"],
        regions=options["regions"],
        target=options["target"],
        actor=actor,
    )
    return Arrived(f"A search plan of {plan.rows} queries: {plan.filename}", plan.upload_id, target=options["target"])


Arrival = Callable[[Hq, Settings, SystemDefinition, Actor], Arrived]

ARRIVALS: Mapping[str, Arrival] = {"upload": by_upload, "search-plan": by_search_plan, "pull": by_pull}
"""Kind of a demo -> how its work arrives. Doing it again brings what is not there, and nothing twice."""
