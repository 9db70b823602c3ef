"""How work arrives in a system's demo: a function for each kind that `registry/systems` names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.system import SystemDefinition
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
    """

    said: str
    upload_id: int | None = None
    batch_key: str | None = None


def by_upload(hq: Hq, settings: Settings, system: SystemDefinition, actor: Actor) -> Arrived:
    """Upload the demo's sample; raises as `upload_file`."""
    sample = EXAMPLES / (system.demo.sample or "")
    upload = upload_file(hq, settings, sample, system.demo.client, actor=actor)
    known = " (known already)" if upload.already_known else ""
    return Arrived(f"Uploaded {sample.name}{known}: {upload.rows} rows, {upload.rejected} rejected", upload.upload_id)


Arrival = Callable[[Hq, Settings, SystemDefinition, Actor], Arrived]

ARRIVALS: Mapping[str, Arrival] = {"upload": by_upload}
"""Kind of a demo -> how its work arrives. Doing it again brings what is not there, and nothing twice."""
