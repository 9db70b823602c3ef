"""The columns of an upload that grows: those that it has keep their keys and meanings, new names come behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from enrichment_assets.domain.headers import map_headers
from enrichment_assets.services.uploads.csv_files.reader import RESERVED_KEYS
from enrichment_assets.services.uploads.csv_files.shape import unique_keys
from enrichment_assets.services.uploads.options import apply_mapping

Column = dict[str, Any]
Cells = Sequence[str | None]


def merged(columns: Sequence[Column], names: Sequence[str], mapping: Mapping[str, str]) -> list[Column]:
    """The columns with those that are new, each `{name, key, field, rank}`.

    Args:
        columns: Those that the upload has.
        names: Those of the rows that came, each once.
        mapping: Column -> identity field, "" for none.

    Raises:
        ConfigurationError: The mapping names a column that neither has.
    """
    known = {column["name"] for column in columns}
    new = [name for name in names if name not in known]
    if columns and not new:
        return list(columns)
    all_names = [*(column["name"] for column in columns), *new]
    keys = unique_keys(all_names, RESERVED_KEYS)
    meanings = apply_mapping(mapping, all_names, keys, map_headers(all_names))
    described = zip(all_names[len(columns) :], keys[len(columns) :], meanings[len(columns) :], strict=True)
    return [
        *columns,
        *(
            {"name": name, "key": key, "field": meaning and meaning.field, "rank": meaning.rank if meaning else 0}
            for name, key, meaning in described
        ),
    ]


def placed(columns: Sequence[Column], names: Sequence[str], rows: Sequence[Cells]) -> list[tuple[str | None, ...]]:
    """The cells of rows in the order of the columns; null where a row has no such cell."""
    at = {name: position for position, name in enumerate(names)}
    order = [at.get(column["name"]) for column in columns]
    if order == list(range(len(names))):
        return [tuple(row) for row in rows]
    return [tuple(None if place is None else row[place] for place in order) for row in rows]
