"""Uploads: take a file as it came, keep its bytes, count its rows, and read them again whenever asked.

The order is: copy aside while hashing, fsync, read every row, then in one transaction the upload, its rejections and
counts. The kept file gets its name before that transaction commits, so an upload that is known has its bytes. A crash
before leaves at most a file that the next upload of the same bytes takes over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError, UploadRefusedError
from enrichment_assets.domain.headers import map_headers
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.spreadsheets import is_own_export
from enrichment_assets.services.catalog.known_clients import check_client, client_row
from enrichment_assets.services.uploads.csv_files import ReadLimits
from enrichment_assets.services.uploads.file_readings import (
    Reading,
    find_reading,
    kept_shape,
    open_reading,
    shape_of,
)
from enrichment_assets.services.uploads.gathered_rows import read_gathered
from enrichment_assets.services.uploads.kept_files import KeptFile, keep_aside, kept_bytes
from enrichment_assets.services.uploads.options import UploadOptions, apply_mapping, options_of
from enrichment_assets.services.uploads.report import (
    LOOKED_AT,
    Column,
    Rows,
    UploadReport,
    columns_of,
    look_at,
    make_report,
)
from enrichment_assets.services.uploads.workbooks import SheetReading
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.catalog import uploads as store
from enrichment_assets.store.catalog.archiving import set_archived
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.people import erasures

__all__ = [
    "Column",
    "UploadReport",
    "get_upload",
    "list_rejections",
    "list_uploads",
    "read_file",
    "read_rows",
    "upload_again",
    "upload_file",
]

_SAMPLE_BYTES = 256 * 1024
_SAMPLE_ROWS = 200
_LONGEST_SAMPLE = 500


# crash point: upload-is-kept
def upload_file(
    hq: Hq,
    settings: Settings,
    path: Path,
    client_slug: str,
    *,
    actor: Actor,
    source: str = "cli",
    filename: str | None = None,
    options: UploadOptions | None = None,
) -> UploadReport:
    """Keep the file at `path` as an upload of the client and count its rows; whoever was erased is taken out of it.

    Args:
        hq: The databases.
        settings: The installation.
        path: A file of delimited text, or a workbook (.xlsx).
        client_slug: The client it belongs to.
        actor: Who brings it.
        source: Where it came from: `cli`, `inbox` or `api`.
        filename: Its name for people, when `path` is only a temporary place.
        options: What is said of the file and not guessed; the same bytes read otherwise are another upload.

    Raises:
        UploadRefusedError: The file cannot be read as a table; nothing is stored.
        ConfigurationError: The options name a column that the file does not have.
        NotFoundError: There is no such client.
    """
    report = _kept(hq, settings, path, client_slug, actor, _Said(source, filename or path.name, options))
    if keep_erased_out(hq, settings, report.upload_id):
        return replace(get_upload(hq, report.upload_id), already_known=report.already_known)
    return report


def keep_erased_out(hq: Hq, settings: Settings, upload_id: int) -> int:
    """Take whoever was erased out of an upload, where anybody was at all; how many rows are without a person now."""
    with hq.transaction() as connection:
        if not erasures.anybody(connection):
            return 0
    from enrichment_assets.services.people.keeping_out import keep_out_of_upload  # it reads uploads itself

    return keep_out_of_upload(hq, settings, upload_id)


@dataclass(frozen=True, slots=True)
class _Said:
    source: str
    name: str
    options: UploadOptions | None


def _kept(hq: Hq, settings: Settings, path: Path, client_slug: str, actor: Actor, said: _Said) -> UploadReport:
    name, source, options = said.name, said.source, said.options or UploadOptions()
    with hq.transaction() as connection:
        client = client_row(connection, client_slug)["id"]
        try:
            with keep_aside(settings, path, client_slug, follow=source != "inbox") as kept:
                if known := store.find_upload(connection, client, kept.sha256, options.kept()):
                    if known["sha256"] == kept.sha256:  # else it is known without a person whom these bytes have
                        kept.keep()
                        if known["bytes_removed_at"] is not None:
                            store.note_kept_again(connection, known["id"])
                    set_archived(connection, "upload", known["id"], archived=False)
                    if known["archived_at"] is not None:
                        was, now = {"archived": True}, {"archived": False}
                        note_action(
                            connection, actor, Code.UPLOAD_RESTORE, known["id"], client_id=client, before=was, after=now
                        )
                    return _known(kept_bytes(settings, client_slug, known["sha256"]), known)
                report = _store(connection, kept, _Origin(client, client_slug, name, source, options))
                if not report.already_known:
                    counted = {
                        "rows": report.rows,
                        "rejected": report.rejected,
                        "sha256": report.sha256,
                        "source": source,
                    }
                    note_action(connection, actor, Code.UPLOAD_ADD, report.upload_id, client_id=client, after=counted)
                return report
        except UploadRefusedError as error:
            raise UploadRefusedError(f"{name} was refused: {error}", *error.hints, code=error.code) from None


def get_upload(hq: Hq, upload_id: int) -> UploadReport:
    """One upload as it was counted. Raises `NotFoundError`."""
    with hq.transaction() as connection:
        return make_report(_existing(store.get_upload(connection, upload_id), upload_id), already_known=True)


def get_upload_row(hq: Hq, upload_id: int) -> dict[str, Any]:
    """One upload as `store.catalog.uploads` gives it. Raises `NotFoundError`."""
    with hq.transaction() as connection:
        return _existing(store.get_upload(connection, upload_id), upload_id)


def upload_again(
    hq: Hq, settings: Settings, upload_id: int, mapping: Mapping[str, str], *, actor: Actor
) -> UploadReport:
    """The kept bytes of an upload as another one, with columns mapped as said; everything else as it was said before.

    Raises `NotFoundError`, `InfrastructureError` when the bytes are gone, and as `upload_file`; `ConfigurationError`
    where its rows came one by one.
    """
    row = get_upload_row(hq, upload_id)
    if row["gathered"]:
        raise ConfigurationError(
            f"the rows of upload {upload_id} came one by one: say what their columns are where they come from",
            code="upload.gathered",
        )
    said = options_of(row["options"])
    options = replace(said, mapping={**said.mapping, **mapping})
    path = kept_bytes(settings, row["client"], row["sha256"])
    return upload_file(
        hq,
        settings,
        path,
        row["client"],
        actor=actor,
        source=row["source"],
        filename=row["filename"],
        options=options,
    )


def list_uploads(hq: Hq, settings: Settings, client_slug: str | None = None) -> list[UploadReport]:
    """Uploads of a client or of all, newest first.

    Raises `NotFoundError` for a client that does not exist.
    """
    check_client(hq, settings, client_slug)
    with hq.transaction() as connection:
        return [make_report(row, already_known=True) for row in store.list_uploads(connection, client_slug)]


def list_rejections(hq: Hq, upload_id: int) -> Iterator[dict[str, Any]]:
    """The upload's rejections in the order of the file: row_number, line_number, reason, raw."""
    with hq.transaction() as connection:
        _existing(store.get_upload(connection, upload_id), upload_id)
        yield from store.rejections(connection, upload_id)


def read_rows(hq: Hq, settings: Settings, upload_id: int) -> Iterator[pa.RecordBatch]:
    """The upload's readable rows from the kept bytes, streamed: row_number, line_number, one string column per key.

    An absent trailing cell of a short row is null; an empty cell is the empty string.

    Raises:
        NotFoundError: There is no such upload.
        InfrastructureError: Its kept bytes are gone.
    """
    with hq.transaction() as connection:
        upload = _existing(store.get_upload(connection, upload_id), upload_id)
        if upload["gathered"]:
            yield from read_gathered(connection, upload)
            return
    yield from read_file(settings, upload)


def read_file(settings: Settings, upload: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    """`read_rows` for a row of `store.catalog.uploads` that is already at hand, and has a file."""
    reading = open_reading(kept_bytes(settings, upload["client"], upload["sha256"]), shape_of(upload))
    batches = (segment.batch(reading.schema) for segment in reading.segments() if segment.rows)
    with ThreadPoolExecutor(1) as beside:  # one block is read while the caller works on the one before
        coming = beside.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = beside.submit(next, batches, None)
            yield batch


@dataclass(frozen=True, slots=True)
class _Origin:
    client_id: int
    client: str
    filename: str
    source: str
    options: UploadOptions


def _store(connection: Connection, kept: KeptFile, origin: _Origin) -> UploadReport:
    """Read the file aside and store what it came to; the connection's transaction commits it."""
    found = find_reading(kept.path, kept.size, kept.scan, origin.options)
    rows = open_reading(kept.path, found.shape, ReadLimits(block_bytes=_SAMPLE_BYTES)).first_rows(LOOKED_AT)
    reading = open_reading(kept.path, found.shape)
    columns = _columns(reading, rows, origin.options)
    upload = {
        "client_id": origin.client_id,
        "filename": origin.filename,
        "sha256": kept.sha256,
        "size_bytes": kept.size,
        "encoding": found.shape.encoding,
        "delimiter": found.shape.delimiter,
        "columns": columns,
        "options": origin.options.kept(),
        "reading": kept_shape(found.shape),
        "source": origin.source,
    }
    inserted = store.insert_upload(connection, upload)
    if inserted is None:  # another process stored the same bytes in the meantime
        other = store.find_upload(connection, origin.client_id, kept.sha256, origin.options.kept())
        return make_report(_existing(other, 0), already_known=True)
    upload_id = inserted["id"]
    rejected = 0

    def rejections() -> Iterator[tuple[int, int, str, str]]:
        nonlocal rejected
        for segment in reading.segments():
            for one in segment.rejections:
                rejected += 1
                yield one.row_number, one.line_number, one.reason, one.raw

    store.copy_rejections(connection, upload_id, origin.client_id, rejections())
    if reading.position.rows == 0:
        raise UploadRefusedError("it has a header and no rows", code="upload.no_rows")
    store.set_counts(connection, upload_id, reading.position.rows, rejected)
    kept.keep()
    counted = {**upload, **inserted, "client": origin.client, "row_count": reading.position.rows}
    return make_report(
        {**counted, "rejected_count": rejected},
        already_known=False,
        blank_lines=reading.position.blank_lines,
        rival=found.rival,
        look=look_at(columns_of(columns), rows, _cut_numbers(reading)),
    )


def _known(path: Path, row: dict[str, Any]) -> UploadReport:
    """The report of an upload that was there already, with a look at its first rows."""
    reading = open_reading(path, shape_of(row), ReadLimits(block_bytes=_SAMPLE_BYTES))
    rows = reading.first_rows(LOOKED_AT)
    return make_report(row, already_known=True, look=look_at(columns_of(row["columns"]), rows, _cut_numbers(reading)))


def _cut_numbers(reading: Reading) -> set[int]:
    return reading.cut_numbers if isinstance(reading, SheetReading) else set()


def _columns(reading: Reading, rows: Rows, options: UploadOptions) -> list[dict[str, Any]]:
    samples = [_sample(rows, position) for position in range(len(reading.names))]
    meanings = apply_mapping(options.mapping, reading.names, reading.keys, map_headers(reading.names, samples))
    own = {"own": True} if is_own_export(reading.names) else {}
    return [
        {"name": name, "key": key, "field": meaning and meaning.field, "rank": meaning.rank if meaning else 0, **own}
        for name, key, meaning in zip(reading.names, reading.keys, meanings, strict=True)
    ]


def _sample(rows: Rows, position: int) -> list[str]:
    """Some cells of a column that are not blank."""
    cells = (row[position] for row in rows[:_SAMPLE_ROWS] if position < len(row))
    return [cell for cell in cells if cell and len(cell) <= _LONGEST_SAMPLE and not cell.isspace()]


def _existing(upload: dict[str, Any] | None, upload_id: int) -> dict[str, Any]:
    if upload is None:
        raise NotFoundError(f"no upload {upload_id}", Hint(Action.LIST_UPLOADS), code="upload.not_found")
    return upload
