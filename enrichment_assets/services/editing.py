"""A person corrects a value of a lead: from the next extraction on it beats every source, and says who made it."""

from __future__ import annotations

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect, open_databases
from enrichment_assets.store.edits import add_edit
from enrichment_assets.warehouse import load_project

_NOT_EDITABLE = frozenset(
    {"client_slug", "batch_key", "item_id", "row_number", "parent_item_id", "company_key", "email_status",
     "email_confidence", "phone_type", "phone_confidence", "phone_do_not_call", "other_fields", "is_finished", "cost",
     "last_advanced_at"}
)  # fmt: skip


def edit_lead(
    settings: Settings,
    batch_key: str,
    item_id: int,
    column: str,
    value: str | None,
    *,
    by: str,
    note: str | None = None,
) -> int:
    """Correct one column of one lead; `value` None empties it. Returns the correction's id.

    Raises:
        ConfigurationError: The column is not one that a person can set, or nobody is named as its author.
        NotFoundError: The batch has no such item.
    """
    editable = [
        c.name
        for c in load_project().model("final_leads").columns
        if c.name not in _NOT_EDITABLE and not c.name.startswith("steps")
    ]
    if column not in editable:
        raise ConfigurationError(f"`{column}` cannot be corrected. Columns: {', '.join(editable)}.")
    if not by.strip():
        raise ConfigurationError("A correction needs a name: --by ada.")
    with connect(open_databases(settings).hq) as connection:
        return add_edit(connection, batch_key, item_id, column, value, by.strip(), note)
