"""Structured logs of the engine: one JSON object a line, for every attempt and notable event. Off unless asked for.

`ENRICH_LOG=FILE` appends to a file, `ENRICH_LOG=-` writes to standard error. Lines name rows by id and things by slug:
no field of an item, no URL, no secret and no text of an answer is ever among them. Timestamps are UTC.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import orjson

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.store.calls.ledger import Applied

logger = logging.getLogger("enrichment_assets.engine")
"""The one logger; any handler of the standard library can be added to it instead of `open_log`."""

_TROUBLE = frozenset({"FAILED", "AMBIGUOUS"})


def open_log(target: str | None) -> None:
    """Send the engine's events to a file or, for `-`, to standard error. None leaves the logger alone; twice is once.

    Raises:
        ConfigurationError: the file cannot be opened.
    """
    if not target or any(handler.name == _handler_name(target) for handler in logger.handlers):
        return
    try:
        handler = logging.StreamHandler(sys.stderr) if target == "-" else logging.FileHandler(Path(target), delay=False)
    except OSError as error:
        raise ConfigurationError(
            f"ENRICH_LOG: {target} cannot be written ({error.strerror})", code="setting.log_not_writable"
        ) from None
    handler.name = _handler_name(target)
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False  # a control room that collects loggers would get a line per item


def _handler_name(target: str) -> str:
    return f"enrich-log:{target}"


class JsonLines(logging.Formatter):
    """A record as one JSON object: timestamp, level, and the event's own keys."""

    def format(self, record: logging.LogRecord) -> str:
        """Render; values that are None are left out."""
        stamp = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        event = getattr(record, "event", None) or {"action": record.getMessage()}
        kept = {name: value for name, value in event.items() if value is not None}
        return orjson.dumps({"timestamp": stamp, "level": record.levelname.lower(), **kept}, default=str).decode()


def log_move(run: Run, record: Applied, action: str, attempt: int | None = None, parent: int | None = None) -> None:
    """A state moved: an attempt ended, a callback was applied, a step was computed, skipped or shared.

    `parent`: the item that the item came from, as a contact from its course.
    """
    trouble = record.error_class is not None or record.status in _TROUBLE
    level = logging.WARNING if trouble else logging.INFO
    if not logger.isEnabledFor(level) or not logger.handlers:
        return
    event = {
        "client": run.batch.client_slug,
        "batch": run.batch.batch_key,
        "item": record.item_id,
        "parent": parent,
        "workflow": record.workflow_slug,
        "provider": record.provider,
        "action": action,
        "outcome": record.outcome or record.status.lower(),
        "cost": None if record.cost is None else _plain(record.cost),
        "duration_ms": record.duration_ms,
        "attempt": attempt,
        "call": record.call_id,
        "error_class": record.error_class,
        "http_status": record.http_status,
    }
    logger.log(level, action, extra={"event": event})


def log_event(run: Run, action: str, step: Step | None = None, *, item_id: int | None = None, **more: object) -> None:
    """Something notable that moves no state: a run began or ended, a provider rests, an item was lost."""
    if not logger.handlers or not logger.isEnabledFor(logging.INFO):
        return
    event = {
        "client": run.batch.client_slug,
        "batch": run.batch.batch_key,
        "item": item_id,
        "workflow": step and step.slug,
        "provider": step and step.workflow.provider,
        "action": action,
        **more,
    }
    logger.log(logging.INFO, action, extra={"event": event})


def _plain(amount: Decimal) -> str:
    return format(amount, "f")
