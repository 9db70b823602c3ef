"""The errors for a client or batch that is not there, with the name that was probably meant."""

from __future__ import annotations

from psycopg.rows import scalar_row

from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.suggestions import did_you_mean
from enrichment_assets.store.database import Connection

_NEWEST = 2_000


# one row: by its key
def no_such_batch(connection: Connection, batch_key: str) -> NotFoundError:
    """The error for a key that no batch has, or that a try has."""
    if _names(connection, "select batch_key from batches where is_try and batch_key = %s", batch_key):
        return NotFoundError(
            f"{batch_key} is a try, and no batch with leads",
            Hint(Action.SEE_TRY, {"batch": batch_key}),
            code="batch.is_a_try",
        )
    keys = _names(connection, "select batch_key from batches where not is_try order by id desc limit %s")
    guess = did_you_mean(batch_key, keys)
    return NotFoundError(f"there is no batch {batch_key!r}{guess}", Hint(Action.LIST_BATCHES), code="batch.not_found")


def no_such_client(connection: Connection, slug: str) -> NotFoundError:
    """The error for a slug that no client has."""
    guess = did_you_mean(slug, _names(connection, "select slug from clients order by id desc limit %s"))
    return NotFoundError(
        f"there is no client {slug!r}{guess}",
        Hint(Action.LIST_CLIENTS),
        Hint(Action.ADD_CLIENT, {"client": slug}),
        code="client.not_found",
    )


def _names(connection: Connection, query: str, parameter: int | str = _NEWEST) -> list[str]:
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(query, (parameter,)).fetchall()
