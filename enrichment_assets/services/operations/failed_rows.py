"""The rows of a batch that failed, one by one: who, at which step, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from enrichment_assets.domain.hints import Hint
from enrichment_assets.services.batches.status import must_find
from enrichment_assets.services.operations.remedies import failure_remedy
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.states.reasons import (
    FailedRow,
    FailureSample,
    count_failed,
    failed_rows,
    failure_samples,
)


@dataclass(frozen=True, slots=True)
class Failed:
    """One state that FAILED or is AMBIGUOUS. `row_number` is 0 for a child item; `who` is the person or company."""

    row_number: int
    item_id: int
    who: str
    workflow: str
    status: str
    error_class: str | None
    reason: str
    hints: tuple[Hint, ...]


@dataclass(frozen=True, slots=True)
class FailedRows:
    """The first rows that failed, of `total`."""

    batch: str
    total: int
    rows: tuple[Failed, ...]


def list_failed(hq: Hq, batch_key: str, limit: int) -> FailedRows:
    """The first `limit` failed states of a batch, by row and step; raises `NotFoundError`."""
    with hq.transaction() as connection:
        row = must_find(connection, batch_key)
        rows = tuple(_told(found) for found in failed_rows(connection, row.batch_id, limit))
        total = len(rows) if len(rows) < limit else count_failed(connection, row.batch_id)
    return FailedRows(batch_key, total, rows)


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """How many states of a workflow ended in one class of error, with the first of them and what helps."""

    workflow: str
    status: str
    error_class: str | None
    states: int
    samples: tuple[FailureSample, ...]
    hints: tuple[Hint, ...]


def list_error_classes(hq: Hq, batch_key: str, samples: int = 3) -> list[ErrorClass]:
    """The classes of errors of a batch, the commonest first; raises `NotFoundError`."""
    with hq.transaction() as connection:
        found = failure_samples(connection, must_find(connection, batch_key).batch_id, samples)
    classes: dict[tuple[str, str, str | None], list[FailureSample]] = {}
    for one in found:
        classes.setdefault((one.workflow, one.status, one.error_class), []).append(one)
    return [
        ErrorClass(*key, few[0].states, tuple(few), failure_remedy(key[1], key[2], few[0].reason or ""))
        for key, few in classes.items()
    ]


def _told(row: FailedRow) -> Failed:
    name = row.full_name or " ".join(filter(None, (row.first_name, row.last_name)))
    return Failed(
        row.row_number,
        row.item_id,
        ", ".join(filter(None, (name, row.company_name))) or "(no name)",
        row.workflow,
        row.status,
        row.error_class,
        row.reason or "no reason was written down",
        failure_remedy(row.status, row.error_class, row.reason),
    )
