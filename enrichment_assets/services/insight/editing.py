"""A person corrects a value of a lead: it beats every source for steps to come and from the next extraction on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.field_types import FieldType, type_of
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.values import Reason, clean
from enrichment_assets.services.insight.lead_fields import own_fields
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.results.edits import add_edit, identity_of
from enrichment_assets.warehouse import load_project

_NOT_EDITABLE = frozenset(
    {"client_slug", "batch_key", "item_id", "row_number", "parent_item_id", "company_key", "email_status",
     "email_confidence", "phone_type", "phone_confidence", "phone_do_not_call", "other_fields", "is_finished", "cost",
     "last_advanced_at"}
)  # fmt: skip


def edit_lead(
    hq: Hq,
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
    if not by.strip():
        raise ConfigurationError("A correction needs a name: --by ada.", code="edit.author_missing")
    with hq.transaction() as connection:
        batch = get_batch(connection, batch_key)
        if batch is None:
            raise no_such_batch(connection, batch_key)
        kind = _type_of(column, batch, batch_key)
        if value is not None:
            value = _checked(column, value, identity_of(connection, batch_key, item_id), kind)
        edit_id = add_edit(connection, batch_key, item_id, column, value, by.strip(), note)
        note_action(
            connection,
            actor,
            Code.LEAD_EDIT,
            item_id,
            client_id=batch["client_id"],
            batch_id=batch["id"],
            after={"field": column, "edit_id": edit_id},
        )
        return edit_id


def _type_of(column: str, batch: dict[str, Any], batch_key: str) -> FieldType:
    """What kind of value the column takes. Raises as `edit_lead`."""
    editable = [
        c.name
        for c in load_project().model("final_leads").columns
        if c.name not in _NOT_EDITABLE and not c.name.startswith("steps")
    ]
    if column in editable:
        return type_of(column)
    own = own_fields(Blueprint.model_validate(batch["blueprint"])) if batch["blueprint"]["steps"] else {}
    if column not in own:
        raise ConfigurationError(
            f"`{column}` cannot be corrected. Columns: {', '.join((*editable, *own))}.", code="edit.column_fixed"
        )
    return own[column]


def _checked(column: str, value: str, row: Mapping[str, Any], kind: FieldType) -> str:
    """The value as the column holds it. Raises `ConfigurationError` that names column, cause and fix."""
    cleaned = clean(column, value, row, kind)
    if cleaned.value is None or cleaned.others:
        reason = cleaned.reason or Reason.PLACEHOLDER
        raise ConfigurationError(
            f"`{column}` cannot be {value!r}: {_FAULTS[reason]} ({reason.value}).", code="edit.value_invalid"
        )
    return str(cleaned.value)


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
