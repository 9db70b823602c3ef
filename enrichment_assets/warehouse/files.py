"""Where the warehouse's files are, and how one is put in place so that no reader ever sees half of it.

Layout below `settings.warehouse_dir`:

    sources/<source>/client_slug=<slug>/<batch_key>.parquet    what HQ said about one batch
    models/<model>/client_slug=<slug>/<batch_key>.parquet      a model of one batch
    analytics/<model>/all.parquet                              a model over all batches

Batches share no file, so concurrent runs on different batches never meet. Where the warehouse is in an object store,
this is the layout of each machine's copy (`warehouse.copies`).
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from enrichment_assets.domain.batch_keys import checked_batch_key
from enrichment_assets.domain.client_slugs import checked_client_slug
from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.objects.bucket import Bucket
from enrichment_assets.settings import Settings, is_remote

RAW_UPLOADS = "raw_apollo_uploads"
"""The source that holds uploads as they came; its other columns are the uploads' own."""

RAW_UPLOAD_KEYS = {"client_slug": "varchar", "batch_key": "varchar", "row_number": "bigint", "line_number": "bigint"}
"""Columns that every file of `RAW_UPLOADS` begins with; no uploaded column has one of these names."""

UNFINISHED_SUFFIX = ".unfinished"
"""Ending of a file that is being written; no glob for `*.parquet` matches it."""

_ABANDONED_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of one warehouse; `bucket` is where it is kept, when `root` is only this machine's copy."""

    root: Path
    bucket: Bucket | None = field(default=None, compare=False)

    @classmethod
    def of(cls, settings: Settings) -> Layout:
        """The layout of these settings' warehouse."""
        place = settings.warehouse
        bucket = Bucket.at(place, "ENRICH_WAREHOUSE") if place and is_remote(place) else None
        return cls(settings.warehouse_dir, bucket)

    def source(self, name: str, client_slug: str, batch_key: str) -> Path:
        """The file of one source of one batch."""
        return self.root / "sources" / name / _folder(client_slug) / f"{checked_batch_key(batch_key)}.parquet"

    def model(self, name: str, client_slug: str, batch_key: str) -> Path:
        """The file of one model of one batch."""
        return self.root / "models" / name / _folder(client_slug) / f"{checked_batch_key(batch_key)}.parquet"

    def analytics(self, name: str) -> Path:
        """The file of a model over all batches."""
        return self.root / "analytics" / name / "all.parquet"

    def all_of(self, room: str, name: str, client_slug: str | None = None) -> list[Path]:
        """Every file of a source (`room` is `sources`) or a partitioned model (`models`), of one client or of all."""
        client = "*" if client_slug is None else _folder(client_slug)
        return sorted((self.root / room / name).glob(f"{client}/*.parquet"))

    def knows_client(self, client_slug: str) -> bool:
        """Whether anything was extracted of this client."""
        return (self.root / "sources" / "batches" / _folder(client_slug)).is_dir()

    def client_of(self, batch_key: str) -> str:
        """The client whose batch this is, by its published sources.

        Raises:
            NotFoundError: Nothing was published for this batch.
        """
        for path in (self.root / "sources" / "batches").glob(f"client_slug=*/{checked_batch_key(batch_key)}.parquet"):
            return path.parent.name.removeprefix("client_slug=")
        raise NotFoundError(
            f"The warehouse has nothing of batch `{batch_key}` yet. It is filled when the batch is extracted.",
            code="batch.not_extracted",
        )


def _folder(client_slug: str) -> str:
    """A client's folder. A slug that is none (`*`, `../x`) would name other clients' files."""
    return f"client_slug={checked_client_slug(client_slug)}"


def quoted(text: Path | str) -> str:
    """A path or text as an SQL string."""
    return "'" + str(text).replace("'", "''") + "'"


@contextmanager
def put_in_place(target: Path) -> Iterator[Path]:
    """Yield a path beside `target` to write to; when the block ends well, the file is synced and takes its place.

    When the block raises, what was written is removed and the old file, if any, stays as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target)
    unfinished = target.with_name(f".{target.name}.{uuid.uuid4().hex}{UNFINISHED_SUFFIX}")
    try:
        yield unfinished
        sync(unfinished)
        unfinished.replace(target)
        sync(target.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def sweep(target: Path) -> None:
    """Remove what a killed writer of this file left behind more than a day ago."""
    for left in target.parent.glob(f".{target.name}.*{UNFINISHED_SUFFIX}"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                left.unlink()


# opens files of ours: the home's
def sync(path: Path) -> None:
    """Make durable what a file holds, or what was renamed, made or removed in a folder. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
