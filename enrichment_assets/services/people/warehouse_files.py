"""Parquet and the published marts without a person: the batches that had them are written anew, out of HQ.

An item stays a row of every model, without a person. What a killed erasure left is done again, batch by batch; a file
that was made of others (compacted, or over all batches) goes, or is made anew, at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import duckdb

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.domain.person_traces import REDACTED, Needles
from enrichment_assets.services.batches.status import batch_row
from enrichment_assets.services.review.standings import note_standings
from enrichment_assets.services.uploads.raw_uploads import write_raw_upload
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.warehouse import (
    build_analytics,
    build_models,
    publish_batch_sources,
    publish_marts,
    publish_organisations,
)
from enrichment_assets.warehouse.compaction import forget
from enrichment_assets.warehouse.copies import brought, drop_earlier
from enrichment_assets.warehouse.files import RAW_UPLOADS, Layout, put_in_place, quoted
from enrichment_assets.warehouse.locking import locked_batch

Files = dict[Path, int]
"""File -> rows that name the person."""


def files_naming(settings: Settings, needles: Needles, items: Sequence[int], client: str | None) -> Files:
    """The Parquet files of the warehouse that name a person: each is read once, in columns of text only.

    Their name counts in rows of their items, and in files without items. `client`: rows of this client alone count.
    """
    layout, found = brought(settings), Files()
    strong, named = needles.pattern(names=False), needles.pattern(names=True)
    with duckdb.connect() as connection:
        for path in sorted(layout.root.rglob("*.parquet")):
            if path.stat().st_size and (rows := _rows_naming(connection, path, strong, named, items, client)):
                found[path] = rows
    return found


def batches_of(layout: Layout, files: Collection[Path]) -> set[str]:
    """Keys of the batches whose own files these are."""
    rooms = (layout.root / "sources", layout.root / "models")
    return {path.stem for path in files if any(room in path.parents for room in rooms)}


def write_anew(
    hq: Hq, settings: Settings, batches: Sequence[str], rows: dict[str, set[int]], done: Callable[[str], None]
) -> None:
    """Make the tables of these batches out of what HQ says of them by now, and publish those that were published.

    Args:
        hq: The databases.
        settings: The installation.
        batches: Keys.
        rows: Batch -> numbers of the uploaded rows that are the person's: for an upload whose kept bytes are gone.
        done: Called with each key that is done.
    """
    layout = brought(settings)
    for key in batches:
        _write_batch(hq, settings, key, rows.get(key, set()))
        done(key)
    forget(layout, batches)
    if (layout.root / "analytics").is_dir():
        build_analytics(settings)
        publish_organisations(hq, settings)
    drop_earlier(layout, batches)


# crash point: batch-is-written-anew
def _write_batch(hq: Hq, settings: Settings, key: str, rows: Collection[int]) -> None:
    batch, layout = batch_row(hq, key), Layout.of(settings)
    raw = layout.source(RAW_UPLOADS, batch.client, key)
    if raw.exists():
        try:
            write_raw_upload(hq, settings, key)
        except InfrastructureError as error:
            if error.code != "upload.bytes_gone":
                raise
            with locked_batch(layout, key):
                _empty_rows(raw, rows)
    if not layout.source("batches", batch.client, key).exists():
        return
    note_standings(hq, key)
    publish_batch_sources(hq, settings, key)
    build_models(settings, key)
    if batch.extracted_at is not None:
        publish_marts(hq, settings, key)


def _empty_rows(raw: Path, numbers: Collection[int]) -> None:
    """The uploaded rows without the cells of these: their kept bytes are gone, and cannot be read again."""
    with duckdb.connect() as connection:
        columns = connection.execute(f"describe select * from read_parquet({quoted(raw)})").fetchall()
        first, *others = [name for name, *_ in columns[4:]] or [None]
        listed = ", ".join(str(int(number)) for number in numbers) or "-1"
        changes = [f"""case when row_number in ({listed}) then '{REDACTED}' else "{first}" end as "{first}" """]
        changes += [f"""case when row_number in ({listed}) then '' else "{name}" end as "{name}" """ for name in others]
        query = f"select * replace ({', '.join(changes)}) from read_parquet({quoted(raw)})"
        with put_in_place(raw) as unfinished:
            connection.execute(f"copy ({query}) to {quoted(unfinished)} (format parquet, compression zstd)")


def _rows_naming(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    strong: str | None,
    named: str | None,
    items: Sequence[int],
    client: str | None,
) -> int:
    columns = connection.execute(f"describe select * from read_parquet({quoted(path)})").fetchall()
    texts = [
        f'"{name}"::varchar' for name, kind, *_ in columns if "VARCHAR" in kind or "JSON" in kind or "BLOB" in kind
    ]
    if not texts or (strong is None and named is None):
        return 0
    line = f"concat_ws(chr(31), {', '.join(texts)})"
    where = [f"regexp_matches({line}, $strong, 'i')"] if strong else []
    if named:
        has_items = any(name == "item_id" for name, *_ in columns)
        place = "list_contains($items::bigint[], item_id)" if has_items else "true"
        where.append(f"({place} and regexp_matches({line}, $named, 'i'))")
    has_clients = any(name == "client_slug" for name, *_ in columns)
    whose = "client_slug = $client" if client is not None and has_clients else "true"
    query = f"select count(*) from read_parquet({quoted(path)}) where ({' or '.join(where)}) and {whose}"
    values = {"strong": strong, "named": named, "items": list(items), "client": client}
    given = {name: value for name, value in values.items() if f"${name}" in query}
    return int(connection.execute(query, given).fetchall()[0][0])
