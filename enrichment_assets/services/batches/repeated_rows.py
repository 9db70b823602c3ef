"""Which rows of an upload name somebody whom an earlier row names, or whom the client has from earlier batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from enrichment_assets.domain.identity_hashes import HASH_BYTES
from enrichment_assets.services.batches.items import rows_within
from enrichment_assets.services.batches.known import bring_up_to_date, must_recognise
from enrichment_assets.services.batches.known_rows import compared_rows
from enrichment_assets.services.batches.simulation import calls_simulator
from enrichment_assets.services.uploads.upload import get_upload_row, read_rows
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.known import known_places
from enrichment_assets.store.hq import Hq

MOST_ROWS = 200_000
"""Rows that are compared, from the first one: their hashes are held in memory, some 100 bytes each."""

MOST_SHOWN = 200
"""Rows that are named."""


@dataclass(frozen=True, slots=True)
class RepeatedRow:
    """A row whose lead is there already.

    Attributes:
        number: Of the row, from 1.
        earlier: The first row of this upload that names the same; None: none does.
        is_known: The client has the lead from an earlier batch.
        cells: Identity field -> cell.
    """

    number: int
    earlier: int | None
    is_known: bool
    cells: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Repeats:
    """What came of comparing an upload.

    Attributes:
        rows: Rows that were compared, `MOST_ROWS` at most.
        nameless: Of these, rows that nobody can be recognised by: neither an address nor a profile nor a company.
        repeated: Rows that name whom an earlier row names.
        known: Rows whose lead the client has from earlier batches.
        shown: The first `MOST_SHOWN` of both kinds.
    """

    rows: int
    nameless: int
    repeated: int
    known: int
    shown: tuple[RepeatedRow, ...]


def repeats_of(hq: Hq, settings: Settings, upload_id: int) -> Repeats:
    """Compare the rows of an upload with one another and with the client's leads, as `known: skip` compares them.

    The index of the client's leads is brought up to date for it.

    Raises:
        NotFoundError: There is no such upload.
        InfrastructureError: Its kept bytes are gone.
        ConfigurationError: The pepper is missing, so that nobody can be recognised.
    """
    upload = get_upload_row(hq, upload_id)
    client_id, hasher = upload["client_id"], must_recognise(hq, settings)
    bring_up_to_date(hq, client_id, hasher)
    simulated = calls_simulator(settings)
    first: dict[bytes, int] = {}
    rows = nameless = repeated = known = 0
    shown: list[RepeatedRow] = []
    stream = rows_within(read_rows(hq, settings, upload_id), slice(0, MOST_ROWS))
    for chunk in compared_rows(stream, upload["columns"], hasher):
        with hq.transaction() as connection:
            there = set(known_places(connection, client_id, 0, simulated, [who for _, who, _ in chunk]))
        for place, (number, who, cells) in enumerate(chunk):
            hashes = [who[at : at + HASH_BYTES] for at in range(0, len(who), HASH_BYTES)]
            earlier = min((first[one] for one in hashes if one in first), default=None)
            for one in hashes:
                first.setdefault(one, number)
            is_known = place in there
            rows, nameless = rows + 1, nameless + (not hashes)
            repeated, known = repeated + (earlier is not None), known + is_known
            if (earlier is not None or is_known) and len(shown) < MOST_SHOWN:
                shown.append(RepeatedRow(number, earlier, is_known, cells))
    return Repeats(rows, nameless, repeated, known, tuple(shown))
