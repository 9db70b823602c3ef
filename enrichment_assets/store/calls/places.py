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


CALLBACK_BODY = """case when i.bulk_id is null then i.body else (
    select w.body from bulk_calls r join callback_inbox w on w.call_id = r.call_ids[1]
    where r.id = i.bulk_id and w.body_sha256 = i.body_sha256) end"""
"""SQL: the bytes of the callback `i`; of one that answers many calls they stand in the row of the first."""
