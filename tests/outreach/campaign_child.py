"""`python -m tests.outreach.campaign_child`: a process that forks makers of campaigns, to be killed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from enrichment_assets.registry.campaign_files import parse_campaign
from enrichment_assets.services.campaigns.activating import activate
from enrichment_assets.services.campaigns.creating import create
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.chaos.faults import arm
from tests.harness.fork_server import serve
from tests.harness.handles import hq_of


def make(order: dict[str, Any]) -> int:
    """Make the campaign of a file, and activate it where that is asked for."""
    if order.get("fault"):
        arm(order["fault"])
    os.environ["ACME_INSTANTLY_KEY"] = order["key"]
    settings = Settings(
        home=Path(order["home"]),
        hq_database_url=order["hq"],
        workspace_database_url=order["workspace"],
        sandbox_url=order["sandbox"],
    )
    hq = hq_of(settings)
    campaign = parse_campaign(order["file"], "golf.yaml")
    create(hq, settings, "acme", campaign, actor=TESTER)
    if order.get("activate"):
        activate(hq, settings, "acme", campaign.name, actor=TESTER)
    return 0


if __name__ == "__main__":
    serve(make)
