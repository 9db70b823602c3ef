"""Where a call stands in the request that it shared with others, as statements select it."""

from __future__ import annotations

from typing import Any

from enrichment_assets.domain.bulk_answers import Place

PLACE = """array_position(m.call_ids, c.id) - 1 as place_index, cardinality(m.call_ids) as place_count,
    m.names as place_names"""
"""SQL: where the call `c` stands in its request `m` (`left join bulk_calls m on m.id = c.bulk_id`)."""


def taken_place(row: dict[str, Any]) -> Place | None:
    """The columns of `PLACE`, taken out of a row; None: the call had a request to itself."""
    index, count, names = row.pop("place_index"), row.pop("place_count"), row.pop("place_names")
    return None if index is None else Place(index, count, None if names is None else tuple(names))
