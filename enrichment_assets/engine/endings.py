"""How a step ended for one item, as the item's later steps and the other items of its company need to know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from enrichment_assets.domain.statuses import Status


class ItemLost(Exception):  # noqa: N818
    """Another runner holds this item now; drop it without writing."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The state a step is in when this run is done with it.

    `deferred`: PENDING, and not to be tried again in this run before other work is done, nor before `retry_in` seconds.
    """

    status: Status
    outcome: str | None = None
    reason: str | None = None
    error_class: str | None = None
    call_id: int | None = None
    result_id: int | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    deferred: bool = False
    retry_in: float | None = None
