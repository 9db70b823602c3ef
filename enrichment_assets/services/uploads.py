"""Uploads: take a file as it came, keep its bytes, count its rows, and read them again whenever asked.

The order is: copy aside while hashing, fsync, read every row, then in one transaction the upload, its rejections and
counts. The kept file gets its name before that transaction commits, so an upload that is known has its bytes. A crash
before leaves at most a file that the next upload of the same bytes takes over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from enrichment_assets.domain.errors import InfrastructureError, NotFoundError, UploadRefusedError
from enrichment_assets.domain.headers import map_headers
from enrichment_assets.services.csv_files import FileReading, FileShape, ReadLimits, find_shape
from enrichment_assets.services.kept_files import KeptFile, keep_aside, kept_path
from enrichment_assets.services.sampling import sample_columns
from enrichment_assets.settings import Settings
from enrichment_assets.store import uploads as store
from enrichment_assets.store.database import connect, open_databases

_SAMPLE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Column:
    """One uploaded column: header cell, unique key, and the identity field it feeds (`rank` 0 is asked first)."""

    name: str
    key: str
    field: str | None
    rank: int


@dataclass(frozen=True, slots=True)
class UploadReport:
    """What an upload came to. `rows` counts all data rows, `rejected` those of them that could not be read.

    `already_known`: the client had uploaded these bytes before; then `blank_lines` is None, nothing was read again.
    """

    upload_id: int
    client: str
    filename: str
    sha256: str
    rows: int
    rejected: int
    columns: tuple[Column, ...]
    already_known: bool
    encoding: str
    delimiter: str
    size_bytes: int
    blank_lines: int | None = None

    @property
    def items(self) -> int:
        """Rows that become batch items."""
        return self.rows - self.rejected


def upload_file(
    settings: Settings, path: Path, client_slug: str, *, source: str = "cli", filename: str | None = None
) -> UploadReport:
    """Keep the file at `path` as an upload of the client and count its rows.

    Args:
        settings: The installation.
        path: A file of delimited text.
        client_slug: The client it belongs to.
        source: Where it came from: `cli`, `inbox` or `api`.
        filename: Its name for people, when `path` is only a temporary place.

    Raises:
        UploadRefusedError: The file cannot be read as a table; nothing is stored.
        NotFoundError: There is no such client.
    """
    name = filename or path.name
    with connect(open_databases(settings).hq) as connection:
        client = store.client_id(connection, client_slug)
        if client is None:
            raise NotFoundError(f"no client {client_slug!r}: add it with `enrich client add {client_slug}`")
        try:
            with keep_aside(settings, path, client_slug) as kept:
                if known := store.find_upload(connection, client, kept.sha256):
                    kept.keep()
                    return _report(known, already_known=True)
                return _store(connection, kept, _Origin(client, client_slug, name, source))
        except UploadRefusedError as error:
            raise UploadRefusedError(f"{name} was refused: {error}") from None


def get_upload(settings: Settings, upload_id: int) -> UploadReport:
    """One upload as it was counted. Raises `NotFoundError`."""
    with connect(open_databases(settings).hq) as connection:
        return _report(_existing(store.get_upload(connection, upload_id), upload_id), already_known=True)


def list_uploads(settings: Settings, client_slug: str | None = None) -> list[dict[str, Any]]:
    """Uploads of a client or of all, newest first, as rows of the table with the client's slug."""
    with connect(open_databases(settings).hq) as connection:
        return store.list_uploads(connection, client_slug)


def list_rejections(settings: Settings, upload_id: int) -> Iterator[dict[str, Any]]:
    """The upload's rejections in the order of the file: row_number, line_number, reason, raw."""
    with connect(open_databases(settings).hq) as connection:
        _existing(store.get_upload(connection, upload_id), upload_id)
        yield from store.rejections(connection, upload_id)


def read_rows(settings: Settings, upload_id: int) -> Iterator[pa.RecordBatch]:
    """The upload's readable rows from the kept bytes, streamed: row_number, line_number, one string column per key.

    An absent trailing cell of a short row is null; an empty cell is the empty string.

    Raises:
        NotFoundError: There is no such upload.
        InfrastructureError: Its kept bytes are gone.
    """
    with connect(open_databases(settings).hq) as connection:
        upload = _existing(store.get_upload(connection, upload_id), upload_id)
    yield from read_upload(settings, upload)


def read_upload(settings: Settings, upload: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    """`read_rows` for a row of `store.uploads` that is already at hand."""
    path = kept_path(settings, upload["client"], upload["sha256"])
    if not path.is_file():
        raise InfrastructureError(f"the bytes of upload {upload['id']} are gone: {path} is missing; upload it again")
    reading = FileReading(path, FileShape(upload["encoding"], upload["delimiter"]), ReadLimits())
    for segment in reading.segments():
        if segment.rows:
            yield segment.batch(reading.schema)


@dataclass(frozen=True, slots=True)
class _Origin:
    client_id: int
    client: str
    filename: str
    source: str


def _store(connection: Any, kept: KeptFile, origin: _Origin) -> UploadReport:
    """Read the file aside and store what it came to; the connection's transaction commits it."""
    shape = find_shape(kept.scan.head, kept.size, kept.scan.encoding())
    reading = FileReading(kept.path, shape, ReadLimits())
    upload = {
        "client_id": origin.client_id,
        "filename": origin.filename,
        "sha256": kept.sha256,
        "size_bytes": kept.size,
        "encoding": shape.encoding,
        "delimiter": shape.delimiter,
        "columns": _columns(reading, _sample(kept.path, shape)),
        "source": origin.source,
    }
    upload_id = store.insert_upload(connection, upload)
    if upload_id is None:  # another process stored the same bytes in the meantime
        found = store.find_upload(connection, origin.client_id, kept.sha256)
        return _report(_existing(found, 0), already_known=True)
    rejected = 0

    def rejections() -> Iterator[tuple[int, int, str, str]]:
        nonlocal rejected
        for segment in reading.segments():
            for one in segment.rejections:
                rejected += 1
                yield one.row_number, one.line_number, one.reason, one.raw

    store.copy_rejections(connection, upload_id, origin.client_id, rejections())
    if reading.position.rows == 0:
        raise UploadRefusedError("it has a header and no rows")
    store.set_counts(connection, upload_id, reading.position.rows, rejected)
    kept.keep()
    counted = {**upload, "id": upload_id, "client": origin.client, "row_count": reading.position.rows}
    return _report({**counted, "rejected_count": rejected}, False, reading.position.blank_lines)


def _sample(path: Path, shape: FileShape) -> list[list[str]]:
    """Some cells of each column, by a short reading of its own."""
    reading = FileReading(path, shape, ReadLimits(block_bytes=_SAMPLE_BYTES))
    batches = (segment.batch(reading.schema) for segment in reading.segments() if segment.rows)
    return sample_columns(batches, len(reading.names))


def _columns(reading: FileReading, samples: list[list[str]]) -> list[dict[str, Any]]:
    meanings = map_headers(reading.names, samples)
    return [
        {"name": name, "key": key, "field": meaning and meaning.field, "rank": meaning.rank if meaning else 0}
        for name, key, meaning in zip(reading.names, reading.keys, meanings, strict=True)
    ]


def _existing(upload: dict[str, Any] | None, upload_id: int) -> dict[str, Any]:
    if upload is None:
        raise NotFoundError(f"no upload {upload_id}: `enrich uploads` lists them")
    return upload


def _report(row: dict[str, Any], already_known: bool, blank_lines: int | None = None) -> UploadReport:
    columns = tuple(Column(c["name"], c["key"], c["field"], c.get("rank", 0)) for c in row["columns"])
    return UploadReport(
        upload_id=row["id"],
        client=row["client"],
        filename=row["filename"],
        sha256=row["sha256"],
        rows=row["row_count"],
        rejected=row["rejected_count"],
        columns=columns,
        already_known=already_known,
        encoding=row["encoding"],
        delimiter=row["delimiter"],
        size_bytes=row["size_bytes"],
        blank_lines=blank_lines,
    )
