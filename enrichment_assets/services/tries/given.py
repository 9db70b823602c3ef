"""Fields that somebody gives for a try, as a row of a list would bring them. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.known_names import vocabulary
from enrichment_assets.domain.planning import fields_read
from enrichment_assets.domain.reads import reads_of
from enrichment_assets.domain.suggestions import did_you_mean
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.services.batches.items import ItemMaker, loaded_row
from enrichment_assets.store.batches.items import ITEM_COLUMNS
from enrichment_assets.store.runs.contexts import LoadedItem

ORIGINAL = "original."
"""Before the name of a column of the list, as templates have it."""


@dataclass(frozen=True, slots=True)
class Given:
    """One row of given fields.

    Attributes:
        row: A tuple in the order of `store.batches.items.ITEM_COLUMNS`, for client and batch 0.
        item: The same as the engine would load it.
        rejected: Field -> what was given for it and is no value of it.
    """

    row: tuple[Any, ...]
    item: LoadedItem
    rejected: Mapping[str, Any]

    def of_batch(self, client_id: int, batch_id: int) -> tuple[Any, ...]:
        """The row for its batch."""
        return (client_id, batch_id, *self.row[2:])


def given_item(
    client_id: int,
    given: Mapping[str, Any],
    workflow: WorkflowDefinition,
    workflows: Iterable[WorkflowDefinition],
    company_identity: list[str],
) -> Given:
    """The row. Identity fields are read like the cells of a list, other fields are taken as they are given.

    Raises:
        ConfigurationError: There is no such field.
    """
    fields = {name: value for name, value in given.items() if not name.startswith(ORIGINAL)}
    originals = {name.removeprefix(ORIGINAL): _cell(given[name]) for name in given if name not in fields}
    _refuse_unknown(fields, workflow, workflows)
    cells = {name: _cell(value) for name, value in fields.items() if name in IDENTITY_FIELDS}
    written = {**cells, **originals}
    columns = [{"name": name, "key": name, "field": name if name in cells else None} for name in written]
    columns = columns or [{"name": "-", "key": "-", "field": None}]
    maker = ItemMaker(client_id, 0, columns, company_identity)
    row = dict(zip(ITEM_COLUMNS, maker.item(1, [written.get(str(c["name"])) for c in columns]), strict=True))
    details = orjson.loads(row["details"]) if row["details"] else {}
    details |= {name: value for name, value in fields.items() if name not in cells and value is not None}
    row["details"] = orjson.dumps(details).decode() if details else None
    row["original_data"] = orjson.dumps(originals).decode()
    rejected = orjson.loads(row["rejected"]) if row["rejected"] else {}
    return Given(tuple(row[name] for name in ITEM_COLUMNS), loaded_row(row, details, originals), rejected)


def _refuse_unknown(
    fields: Iterable[str], workflow: WorkflowDefinition, workflows: Iterable[WorkflowDefinition]
) -> None:
    """Raise for a field that neither the platform nor any workflow gives, and that this workflow does not read."""
    read = {read.head for read in reads_of(workflow)} | fields_read(workflow)
    known = vocabulary(workflows) | read
    for name in fields:
        if name not in known:
            mine = sorted(read - {"original", "item", "parameters", "callback_url", "secrets", "members"})
            reads = f"; {workflow.slug} reads {', '.join(mine)}" if mine else ""
            raise ConfigurationError(
                f"there is no field {name!r}{did_you_mean(name, known)}{reads}; a column of a list is original.NAME",
                code="try.unknown_field",
            )


def _cell(value: Any) -> str | None:
    """A given value as a list's cell has it."""
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
