"""A person corrects a value of a lead: it beats every source for steps to come and from the next extraction on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.field_types import FieldType, type_of
from enrichment_assets.domain.lead_columns import TYPES_IN_DUCKDB, ColumnType, fits
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.record_fields import OF_ALL_SOURCES
from enrichment_assets.domain.suggestions import did_you_mean
from enrichment_assets.domain.values import Reason, clean
from enrichment_assets.services.insight.lead_fields import PROGRESS, final_columns, own_fields
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.results.edits import add_edit, identity_of
from enrichment_assets.warehouse import Column

_NOT_EDITABLE = frozenset(
    {"client_slug", "batch_key", "item_id", "row_number", "parent_item_id", "company_key", "email_status",
     "email_confidence", *OF_ALL_SOURCES, "phone_type", "phone_confidence", "phone_do_not_call", "other_fields", "cost"}
) | PROGRESS  # fmt: skip


def edit_lead(
    hq: Hq,
    settings: Settings,
    batch_key: str,
    item_id: int,
    column: str,
    value: str | None,
    *,
    actor: Actor,
    by: str,
    note: str | None = None,
) -> int:
    """Correct one column of one lead; `value` None empties it. Returns the correction's id.

    A column is one of final_leads, or a field of one of the batch's own workflows, which has the type that the workflow
    declares.

    Raises:
        ConfigurationError: The column is not one that a person can set, the value is none of that column, or nobody is
            named as its author.
        NotFoundError: There is no such batch, or it has no such item.
    """
    given = {column: value}
    return edit_fields(hq, settings, batch_key, item_id, given, actor=actor, by=by, note=note)[0]


def edit_fields(
    hq: Hq,
    settings: Settings,
    batch_key: str,
    item_id: int,
    values: Mapping[str, str | None],
    *,
    actor: Actor,
    by: str,
    note: str | None = None,
    code: Code = Code.LEAD_EDIT,
) -> list[int]:
    """Correct columns of one lead, all or none. Returns the corrections' ids, in order. Raises as `edit_lead`."""
    if not by.strip():
        raise ConfigurationError("A correction needs a name: --by ada.", code="edit.author_missing")
    with hq.transaction() as connection:
        batch = get_batch(connection, batch_key)
        if batch is None:
            raise no_such_batch(connection, batch_key)
        correctable = Correctable(settings, batch["blueprint"])
        row, edit_ids = identity_of(connection, batch_key, item_id), []
        given = {column: correctable.checked(column, value, row) for column, value in values.items()}
        for column, value in given.items():
            edit_ids.append(add_edit(connection, batch_key, item_id, column, value, by.strip(), note))
            said = {"field": column, "edit_id": edit_ids[-1]}
            ids = {"client_id": batch["client_id"], "batch_id": batch["id"]}
            note_action(connection, actor, code, item_id, **ids, after=said)
        return edit_ids


class Correctable:
    """What may be corrected in the leads of one batch, and to what."""

    def __init__(self, settings: Settings, blueprint: Mapping[str, Any]) -> None:
        """`blueprint`: of the batch, as it is stored."""
        self._columns = final_columns(settings)
        self._blueprint = Blueprint.model_validate(blueprint) if blueprint["steps"] else None

    def checked(self, column: str, value: str | None, row: Mapping[str, Any]) -> str | None:
        """The value as the column holds it; None: it is emptied.

        Args:
            column: One of final_leads, or a field of the batch's own workflows.
            value: What it is to be.
            row: The lead's identity columns.

        Raises:
            ConfigurationError: Nobody can set the column, or the value is none of it; names column, cause and fix.
        """
        kinds = _types_of(column, self._columns, self._blueprint)
        return None if value is None else _checked(column, value, row, *kinds)


def _types_of(
    column: str, columns: Mapping[str, Column], blueprint: Blueprint | None
) -> tuple[FieldType, ColumnType | None]:
    """What kind of value a field takes, and the type of its column where it has one. Raises as `edit_lead`."""
    editable = [name for name in columns if name not in _NOT_EDITABLE]
    own = own_fields(blueprint, columns) if blueprint else {}
    if column not in editable and column not in own:
        raise ConfigurationError(
            f"`{column}` cannot be corrected{did_you_mean(column, (*editable, *own))}. "
            f"Columns: {', '.join((*editable, *own))}.",
            code="edit.column_fixed",
        )
    workflows = [step.workflow for step in blueprint.steps] if blueprint else []
    kinds = [workflow.types for workflow in workflows if column in workflow.types]
    declared = [workflow.columns[column].type for workflow in workflows if column in workflow.columns]
    there = [TYPES_IN_DUCKDB[columns[column].type]] if column in editable else []
    return type_of(column, kinds[0] if kinds else None), next(iter([*there, *declared]), None)


def _checked(column: str, value: str, row: Mapping[str, Any], kind: FieldType, column_type: ColumnType | None) -> str:
    """The value as the column holds it. Raises `ConfigurationError` that names column, cause and fix."""
    cleaned = clean(column, value, row, kind)
    if cleaned.value is not None and column_type is not None and not fits(column_type, cleaned.value):
        raise ConfigurationError(
            f"`{column}` cannot be {value!r}: {_NO_VALUE_OF[column_type]}.", code="edit.not_of_column"
        )
    if cleaned.value is None or cleaned.others:
        reason = cleaned.reason or Reason.PLACEHOLDER
        raise ConfigurationError(
            f"`{column}` cannot be {value!r}: {_FAULTS[reason]} ({reason.value}).", code="edit.value_invalid"
        )
    return str(cleaned.value).lower() if isinstance(cleaned.value, bool) else str(cleaned.value)


_NO_VALUE_OF: Mapping[ColumnType, str] = {
    ColumnType.INTEGER: "the column holds whole numbers of up to nine digits",
    ColumnType.BIGINT: "the column holds whole numbers",
    ColumnType.NUMERIC: "the column holds numbers of up to 12 digits before the point and 6 after it",
    ColumnType.DOUBLE: "the column holds numbers",
    ColumnType.BOOLEAN: "the column holds true or false",
    ColumnType.DATE: "the column holds dates; write it as 2026-03-31",
    ColumnType.TIMESTAMPTZ: "the column holds points in time; write it as 2026-03-31T14:00:00Z",
}
_EMPTY_IT = "to say that there is none, empty the column"
_FAULTS: Mapping[Reason, str] = {
    Reason.PLACEHOLDER: f"that is no value; {_EMPTY_IT}",
    Reason.SELF_EMPLOYED: f"that is no company; {_EMPTY_IT}",
    Reason.NOT_AN_ADDRESS: "that is no e-mail address; write it as ada@acme.com",
    Reason.UNKNOWN_SUFFIX: "no such top-level domain exists; check how it is spelled",
    Reason.NOT_CALLABLE: "that is no number that can be dialled; write it with its country, as +1 202 555 0123",
    Reason.NO_COUNTRY: "the lead has no country to read it by; write it with its country, as +1 202 555 0123",
    Reason.SPREADSHEET_NUMBER: "a spreadsheet kept only its first digits; write it out",
    Reason.NOT_A_PROFILE: "that is no page of one person or company at LinkedIn; write it as linkedin.com/in/ada",
    Reason.REMOVED_PAGE: f"LinkedIn shows this page where one is gone; {_EMPTY_IT}",
    Reason.SHARED_HOST: f"this host belongs to a platform or to private mailboxes; {_EMPTY_IT}",
    Reason.WRONG_TYPE: "that is a value of another kind; look at the column's other values",
    Reason.RANGE: "that is a range; write one number",
    Reason.SEVERAL: "that is more than one value; write the one that counts",
}
