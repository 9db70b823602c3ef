"""Routes of figures that are fetched from outside services: a sync, and campaigns."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from enrichment_assets.services.pulls import syncing
from enrichment_assets.services.pulls.connecting import only_client
from enrichment_assets.services.pulls.figures import figures
from enrichment_assets.services.shapes.pulls import InstantlyCampaign, PullSync
from enrichment_assets.services.shapes.shape import Shape
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import ApiError
from enrichment_assets.web.api.paging import NAMES, Key, asked_page

PULL = "instantly"


def sync_instantly(call: Call) -> Shape:
    """Fetch a client's figures, or take them out of a file in the home's folder `pulls/<client>/`."""
    source, name = call.text("source") or "api", call.text("file_path")
    call.checked("source", "file_path")
    if source not in ("api", "file") or (source == "file") is (name is None):
        raise ApiError(
            "say the source: api, or file with a file_path",
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
            code="request.invalid",
            fields={"source": "is api, or file with a file_path"},
        )
    client = call.client or only_client(call.hq, PULL)
    if name is None:
        return PullSync.of(syncing.sync(call.hq, call.settings, PULL, client))
    file = _inside(call.settings.home / "pulls" / client, name)
    return PullSync.of(syncing.sync_file(call.hq, PULL, client, file, actor=call.known.actor))


def campaigns(call: Call) -> Mapping[str, Any]:
    """Campaigns as they were last fetched, of a client or of all."""
    asked = asked_page(call)
    call.checked(*NAMES)
    found = figures(call.hq, "campaign_performance", client=call.client)
    return asked.of(found, _most_sent_first, InstantlyCampaign.of)


def _most_sent_first(row: Mapping[str, Any]) -> Key:
    return str(row["client_slug"]), -int(row["sent"] if row["sent"] is not None else -1), str(row["campaign_id"])


def _inside(folder: Path, name: str) -> Path:
    """A file of the client's folder: no other file of this machine can be named."""
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise ApiError(
            "the file is not in the client's folder",
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
            code="request.invalid",
            fields={"file_path": "is a path below pulls/<client>/ of the home"},
        )
    return file
