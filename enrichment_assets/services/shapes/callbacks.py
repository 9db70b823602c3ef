"""Callbacks as the inbox keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from enrichment_assets.services.shapes.shape import FLAT, Shape

if TYPE_CHECKING:
    from enrichment_assets.services.operations import callbacks
    from enrichment_assets.store.inbox.review import CallbackSummary


@dataclass(frozen=True, slots=True)
class Callback(Shape):
    """What a provider sent back, as it came.

    Attributes:
        id: Its number.
        status: `new`, `applied`, `superseded` or `dead`.
        received_at: When it came.
        processed_at: When it was read.
        client: Whose it is.
        batch: For which batch.
        workflow: For which step.
        item_id: For which item.
        call_id: The call that it answers.
        content_type: As the provider said.
        size: Bytes of its body.
        body_removed_at: When `enrich retention` took its body out; null: it is there.
        error: Why a dead one is dead.
    """

    id: int
    status: str
    received_at: datetime
    processed_at: datetime | None
    client: str
    batch: str
    workflow: str
    item_id: int
    call_id: int
    content_type: str | None
    size: int
    body_removed_at: datetime | None
    error: str | None

    @classmethod
    def of(cls, found: CallbackSummary) -> Callback:
        """From what the services return."""
        return cls(
            found.id,
            str(found.status),
            found.received_at,
            found.processed_at,
            found.client,
            found.batch_key,
            found.workflow,
            found.item_id,
            found.call_id,
            found.content_type,
            found.size,
            found.body_removed_at,
            found.error,
        )


@dataclass(frozen=True, slots=True)
class CallbackDetail(Shape):
    """One callback with what it says.

    Attributes:
        callback: All keys of a callback.
        headers: As they came.
        body_form: `text` or `hex`.
        body: Its first bytes, control characters as escapes.
    """

    callback: Callback = field(metadata=FLAT)
    headers: Mapping[str, str]
    body_form: str
    body: str

    @classmethod
    def of(cls, found: callbacks.CallbackDetail, limit: int) -> CallbackDetail:
        """From what the services return, with at most `limit` bytes of the body."""
        form, body = found.rendered_body(limit)
        return cls(Callback.of(found.summary), found.headers, form, body)


@dataclass(frozen=True, slots=True)
class CallbackReplay(Shape):
    """Dead callbacks that were put back in line.

    Attributes:
        inbox_ids: Their numbers.
        batches: Batch to how many of them are for it.
    """

    inbox_ids: tuple[int, ...]
    batches: Mapping[str, int]

    @classmethod
    def of(cls, report: callbacks.ReplayReport) -> CallbackReplay:
        """From what the services return."""
        return cls(tuple(report.inbox_ids), report.batches)
