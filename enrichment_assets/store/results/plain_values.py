"""Which values of a result are, as they stand, what a typed column takes; and rows of such values as lines of COPY.

`domain.coercion` says what a value is for a column. Most values are written the plain way (`"0.97"`, `2024-02-29`,
`true`): for those Postgres' own reading gives the same, and a row of nothing else goes from HQ to its table as bytes.
What is written in any other way is left to `coerce`, with its whole row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from enrichment_assets.store.database import Connection
from enrichment_assets.store.results.destinations import Cell, cell_value, from_unstored

_LEAP_DAY = "(?:(?:19|20)(?:0[48]|[2468][048]|[13579][26])|2000)-02-29"
_DAY = (
    "(?:(?:19|20)[0-9]{2}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)"
    f"|(?:0[13578]|1[02])-31)|{_LEAP_DAY})"
)
_TIME = r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.(?:[0-9]{3}|[0-9]{6}))?(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])"
_ANY = ""

PLAIN: Mapping[str, Mapping[str, str]] = {
    "text": {"string": _ANY},
    "integer": {"number": "-?[0-9]{1,9}", "string": "-?[0-9]{1,9}"},
    "bigint": {"number": "-?[0-9]{1,15}", "string": "-?[0-9]{1,18}"},
    "numeric": {"number": r"-?[0-9]{1,9}(?:\.[0-9]{0,4}[1-9])?", "string": r"-?[0-9]{1,30}(?:\.[0-9]{1,20})?"},
    "boolean": {"number": "[01]", "string": "true|false|yes|no|1|0", "boolean": _ANY},
    "date": {"string": _DAY},
    "timestamptz": {"string": _DAY + _TIME},
}
"""Column type -> JSON type -> regular expression of the whole text; an empty one takes any. `jsonb` takes everything.

A number with a fraction is read into binary by who reads JSON: one of few digits that does not end in 0 comes out as it
was written.
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A result: its item, when it was fetched, and its row as COPY takes it; None: a value of it is to be coerced."""

    item_id: int
    fetched_at: datetime
    row: bytes | None


def lines(
    connection: Connection,
    whose: tuple[str, str, str],
    item_ids: Sequence[int],
    cells: Sequence[tuple[Cell, str]],
) -> Iterator[Line]:
    """The results of these items that have not reached their destination, by item id.

    Args:
        connection: HQ's; nothing else may be asked of it until the last line was taken.
        whose: Slug of the client, key of the batch, slug of the workflow; their texts need no escapes in COPY.
        item_ids: The items.
        cells: What each mapped column reads, with its type.
    """
    client, batch, workflow = whose
    is_plain = sql.SQL(" and ").join([_is_plain(cell_value(cell), kind) for cell, kind in cells])
    # The time as JSON writes it: Postgres' own text follows the session's `DateStyle`.
    built_in = sql.SQL("{}, {}, s.item_id, {}, to_json(r.fetched_at) #>> '{{}}'").format(client, batch, workflow)
    taken = sql.SQL(", ").join([_text(cell) for cell, _ in cells])
    query = sql.SQL("copy (select case when {} then 1 else 0 end, {}, {} {}) to stdout").format(
        is_plain, built_in, taken, from_unstored(workflow, item_ids, [cell for cell, _ in cells])
    )
    with connection.cursor().copy(query) as stream:
        for data in stream:
            row = bytes(data)
            _, _, _, item_id, _, fetched_at, _ = row.split(b"\t", 6)
            yield Line(
                int(item_id), datetime.fromisoformat(fetched_at.decode()), row[2:] if row.startswith(b"1") else None
            )


def _text(cell: Cell) -> sql.Composable:
    value = cell_value(cell)
    return value if cell.as_text else sql.SQL("{} #>> '{{}}'").format(value)


def _is_plain(value: sql.Composable, kind: str) -> sql.Composable:
    """SQL: the JSON value is null, or plainly one of the column's type."""
    if kind == "jsonb":
        return sql.SQL("true")
    cases = [
        sql.SQL("when {} then {}").format(
            json_type,
            sql.SQL("{} #>> '{{}}' ~ {}").format(value, f"^(?:{pattern})$") if pattern else sql.SQL("true"),
        )
        for json_type, pattern in PLAIN[kind].items()
    ]
    return sql.SQL("case jsonb_typeof({0}) {1} else {0} is null end").format(value, sql.SQL(" ").join(cases))
