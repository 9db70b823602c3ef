"""Telling of leads: what was published of a batch is compared with what was told of it last.

It is done after the marts are published and before the batch is marked as extracted: a process that dies in between
leaves a batch whose tables are made again, and nothing that was told is told again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson

from enrichment_assets.domain.outgoing import fitting
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.outgoing import leads as store

if TYPE_CHECKING:
    from enrichment_assets.warehouse import BatchSession

_ROWS = 5_000
MODEL = "final_leads"
_OF_OURS = frozenset({
    "client_slug", "is_finished", "steps", "steps_found", "steps_not_found", "steps_skipped", "steps_failed",
    "steps_ambiguous", "steps_cancelled", "steps_open", "cost", "last_advanced_at", "company_key",
})  # fmt: skip
"""Columns that say how a lead was made, what it cost and by what it is compared: no news to the client's server."""


def tell_of_leads(hq: Hq, session: BatchSession) -> int:
    """Tell the client's servers of the leads of a batch that are finished and new, or other than they were told.

    Args:
        hq: HQ and workspace.
        session: Of the batch whose marts were published.

    Returns:
        How many events were written; 0 also where nobody is told of leads.
    """
    with hq.transaction() as connection:
        listener = store.listener_of(connection, session.batch_key)
        if listener is None:
            return 0
        known = store.contents_of(connection, listener.batch_id)
        written = 0
        for leads in _published(session):
            changed = [lead for lead in leads if known.get(lead.item_id) != lead.content]
            written += store.tell(connection, listener, changed) if changed else 0
    return written


def _published(session: BatchSession) -> Iterator[list[store.Told]]:
    """The finished leads of the batch, some thousands at a time."""
    session.read_all()
    columns = [column.name for column in session.project.models[MODEL].columns if column.name not in _OF_OURS]
    members = ", ".join(f"'{name}': \"{name}\"" for name in columns)
    found = session.connection.execute(
        f'select item_id, to_json({{{members}}}) from "{MODEL}" where is_finished order by item_id'
    )
    while rows := found.fetchmany(_ROWS):
        yield [_told(item_id, text) for item_id, text in rows]


def _told(item_id: int, text: str) -> store.Told:
    """What is told of one lead: what is known of it. A column that is new, and empty, is no change."""
    lead = {name: value for name, value in orjson.loads(text).items() if value is not None}
    others = lead.pop("other_fields", None)
    if isinstance(others, str) and others != "{}":
        lead["other_fields"] = _opened(others)
    data, size = fitting(lead)
    written = orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    return store.Told(item_id, hashlib.blake2b(written, digest_size=16).digest(), written.decode(), size)


def _opened(others: str) -> Any:
    try:
        return orjson.loads(others)
    except orjson.JSONDecodeError:
        return others
