"""Queries on `uploads` and `upload_rejections`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from enrichment_assets.store.database import Connection
from enrichment_assets.store.loading import Stream, load

Row = dict[str, Any]

_UPLOAD = """
    select u.id, c.slug as client, u.client_id, u.filename, u.sha256, u.size_bytes, u.encoding, u.delimiter,
           u.columns, u.options, u.reading, u.row_count, u.rejected_count, u.source, u.created_at, u.archived_at,
           u.original_sha256, u.erased_rows, u.bytes_removed_at, u.gathered
    from uploads u join clients c on c.id = u.client_id
"""


def find_upload(connection: Connection, client: int, sha256: str, options: Row) -> Row | None:
    """The client's upload of a file with these bytes, read with the same options, or None.

    Of a file that was written anew without a person, the bytes as they came count too.
    """
    return connection.execute(
        _UPLOAD + "where u.client_id = %(client)s and u.options = %(options)s "
        "and (u.sha256 = %(sha256)s or (u.original_sha256 = %(sha256)s and u.bytes_removed_at is null)) "
        "order by u.id limit 1",
        {"client": client, "sha256": sha256, "options": Jsonb(options)},
    ).fetchone()


def get_upload(connection: Connection, upload_id: int) -> Row | None:
    """One upload with its client's slug, or None."""
    return connection.execute(_UPLOAD + "where u.id = %s", (upload_id,)).fetchone()


def list_uploads(connection: Connection, client_slug: str | None = None) -> list[Row]:
    """Uploads, newest first; of one client or of all; archived ones are left out."""
    where = "where (%(slug)s::text is null or c.slug = %(slug)s) and u.archived_at is null order by u.id desc"
    return connection.execute(_UPLOAD + where, {"slug": client_slug}).fetchall()


def all_uploads(connection: Connection, client_slug: str | None) -> list[Row]:
    """Every upload, archived ones too; of one client or of all."""
    where = "where (%(slug)s::text is null or c.slug = %(slug)s) order by u.id"
    return connection.execute(_UPLOAD + where, {"slug": client_slug}).fetchall()


# one row: by its key
def set_rewritten(connection: Connection, upload_id: int, sha256: str, size: int, rows: int, reading: Row) -> None:
    """The kept file was written anew without a person, as a table of UTF-8 text; the hash of the first one stays."""
    connection.execute(
        """
        update uploads set original_sha256 = coalesce(original_sha256, sha256), sha256 = %s, size_bytes = %s,
               erased_rows = erased_rows + %s, encoding = 'utf-8', delimiter = ',', reading = %s
        where id = %s
        """,
        (sha256, size, rows, Jsonb(reading), upload_id),
    )


@dataclass(frozen=True, slots=True)
class OldFile:
    """A kept file that nobody needs any more: whose it is, the uploads that have it, and its size."""

    client: str
    sha256: str
    upload_ids: list[int]
    size: int


def old_files(connection: Connection, days: int) -> list[OldFile]:
    """Kept files that came, and whose batches were done, more than `days` ago."""
    rows = connection.execute(
        """
        select c.slug as client, u.sha256, array_agg(u.id order by u.id) as upload_ids, max(u.size_bytes) as size
        from uploads u join clients c on c.id = u.client_id
        where u.bytes_removed_at is null and not u.gathered
        group by c.slug, u.sha256
        having bool_and(
          u.created_at < statement_timestamp() - make_interval(days => %(days)s)
          and not exists (
            select 1 from batches b
            where b.upload_id = u.id and b.retired_at is null
              and not coalesce(b.finished_at < statement_timestamp() - make_interval(days => %(days)s)
                               and b.extracted_at >= b.finished_at, false)))
        order by c.slug, u.sha256
        """,
        {"days": days},
    ).fetchall()
    return [OldFile(**row) for row in rows]


def old_gathered(connection: Connection, days: int) -> list[OldFile]:
    """Uploads whose rows came one by one and that nobody needs any more, as `old_files` says of files."""
    rows = connection.execute(
        """
        select c.slug as client, u.sha256, array[u.id] as upload_ids, u.size_bytes as size
        from uploads u join clients c on c.id = u.client_id
        where u.bytes_removed_at is null and u.gathered
          and u.created_at < statement_timestamp() - make_interval(days => %(days)s)
          and not exists (
            select 1 from batches b
            where b.upload_id = u.id and b.retired_at is null
              and not coalesce(b.finished_at < statement_timestamp() - make_interval(days => %(days)s)
                               and b.extracted_at >= b.finished_at, false))
        order by u.id
        """,
        {"days": days},
    ).fetchall()
    return [OldFile(**row) for row in rows]


def take_out_rows(connection: Connection, upload_ids: list[int]) -> None:
    """Take the kept rows of these uploads out; all figures and the hashes of their parts stay. The caller commits."""
    connection.execute("delete from upload_rows where upload_id = any(%s)", (upload_ids,))
    note_removed(connection, upload_ids)


def note_removed(connection: Connection, upload_ids: list[int]) -> None:
    """The kept file of these uploads is gone, and the texts of their rejections go; all figures stay."""
    connection.execute("update uploads set bytes_removed_at = clock_timestamp() where id = any(%s)", (upload_ids,))
    connection.execute("update upload_rejections set raw = '' where upload_id = any(%s) and raw <> ''", (upload_ids,))


def note_kept_again(connection: Connection, upload_id: int) -> None:
    """The file of an upload has come again."""
    connection.execute("update uploads set bytes_removed_at = null where id = %s", (upload_id,))


def insert_upload(connection: Connection, upload: Row) -> Row | None:
    """Insert an upload whose rows have not been counted yet; its `id` and `created_at`.

    None when the same one was inserted first.
    """
    return connection.execute(
        """
        insert into uploads (client_id, filename, sha256, size_bytes, encoding, delimiter, columns, options, reading,
                             row_count, rejected_count, source)
        values (%(client_id)s, %(filename)s, %(sha256)s, %(size_bytes)s, %(encoding)s, %(delimiter)s, %(columns)s,
                %(options)s, %(reading)s, 0, 0, %(source)s)
        on conflict (client_id, sha256, options) do nothing
        returning id, created_at
        """,
        {**upload, **{name: Jsonb(upload[name]) for name in ("columns", "options", "reading")}},
    ).fetchone()


# one row: by its key
def set_counts(connection: Connection, upload_id: int, rows: int, rejected: int) -> None:
    """Store what a whole reading counted: data rows, and how many of them are rejections."""
    connection.execute(
        "update uploads set row_count = %s, rejected_count = %s where id = %s", (rows, rejected, upload_id)
    )


def copy_rejections(
    connection: Connection, upload_id: int, client: int, rejections: Iterable[tuple[int, int, str, str]]
) -> None:
    """Insert rejections (row number, line number, reason, raw text) all at once."""

    def feed(stream: Stream) -> None:
        for rejection in rejections:
            stream.write_row((client, upload_id, *rejection))

    columns = ("client_id", "upload_id", "row_number", "line_number", "reason", "raw")
    load(connection, "upload_rejections", columns, feed)


def rejections(connection: Connection, upload_id: int) -> Iterator[Row]:
    """The upload's rejections in the order of the file, streamed from the server."""
    with connection.cursor(name="rejections") as cursor:
        cursor.execute(
            """
            select row_number, line_number, reason, raw from upload_rejections where upload_id = %s order by row_number
            """,
            (upload_id,),
        )
        yield from cursor
