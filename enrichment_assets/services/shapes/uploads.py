"""Uploads: one file as it came, and the rows of it that could not be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from enrichment_assets.services.shapes.shape import FLAT, Shape

if TYPE_CHECKING:
    from enrichment_assets.services.uploads.report import UploadReport as Report


@dataclass(frozen=True, slots=True)
class UploadColumn(Shape):
    """One column of an uploaded file.

    Attributes:
        name: The header cell as it came.
        key: A unique name: of two columns of one name the second has another.
        field: The identity field that it feeds; null: none.
        rank: Of several columns of one field, 0 is asked first.
    """

    name: str
    key: str
    field: str | None
    rank: int


@dataclass(frozen=True, slots=True)
class Upload(Shape):
    """One file as it came.

    Attributes:
        upload_id: Its number.
        client: Whose it is.
        filename: As it was given.
        sha256: Of its bytes.
        size_bytes: How large it is.
        rows: Data rows, whether they could be read or not.
        rejected: Rows that could not be read.
        items: Rows that become items of a batch: `rows` less `rejected`.
        columns: Its columns, in order.
        encoding: Of its text.
        delimiter: Between its cells.
        sheet: Of a workbook, the sheet that was read.
        lines_above: Lines above the header, which are no rows.
        source: `cli`, `inbox` or `api`.
        created_at: When it was uploaded.
    """

    upload_id: int
    client: str
    filename: str
    sha256: str
    size_bytes: int
    rows: int
    rejected: int
    items: int
    columns: tuple[UploadColumn, ...]
    encoding: str
    delimiter: str
    sheet: str | None
    lines_above: int
    source: str
    created_at: datetime

    @classmethod
    def of(cls, found: Report) -> Upload:
        """From what the services return."""
        return cls(
            upload_id=found.upload_id,
            client=found.client,
            filename=found.filename,
            sha256=found.sha256,
            size_bytes=found.size_bytes,
            rows=found.rows,
            rejected=found.rejected,
            items=found.items,
            columns=tuple(UploadColumn(one.name, one.key, one.field, one.rank) for one in found.columns),
            encoding=found.encoding,
            delimiter=found.delimiter,
            sheet=found.sheet,
            lines_above=found.lines_above,
            source=found.source,
            created_at=found.created_at,
        )


@dataclass(frozen=True, slots=True)
class Look(Shape):
    """What the first rows of a file show.

    Attributes:
        letters: Up to three cells with letters beyond ASCII, as they were read.
        no_value: Field to how many of its cells hold a placeholder (`N/A`, `-`), in the first 5,000 rows.
        cut_numbers: Columns with long numbers of which a spreadsheet has kept the first digits only.
    """

    letters: tuple[str, ...]
    no_value: Mapping[str, int]
    cut_numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UploadReport(Shape):
    """An upload, and what was seen when the file was read.

    Attributes:
        upload: All keys of an upload.
        already_known: The client had uploaded these bytes before, with the same options.
        blank_lines: Lines that are no rows; null: nothing was read again.
        rival: An encoding that is nearly as likely as `encoding`; null: none.
        look: What the first rows show.
        warnings: What a person should look at before anything is paid for.
    """

    upload: Upload = field(metadata=FLAT)
    already_known: bool
    blank_lines: int | None
    rival: str | None
    look: Look
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, found: Report) -> UploadReport:
        """From what the services return."""
        return cls(
            upload=Upload.of(found),
            already_known=found.already_known,
            blank_lines=found.blank_lines,
            rival=found.rival,
            look=Look(found.look.letters, found.look.no_value, found.look.cut_numbers),
            warnings=tuple(found.warnings()),
        )


@dataclass(frozen=True, slots=True)
class Rejection(Shape):
    """A row of an upload that could not be read.

    Attributes:
        row_number: Which data row it is, from 1.
        line_number: The line of the file where it begins, from 1.
        reason: Why it could not be read.
        raw: Its text, at most 10,000 characters.
    """

    row_number: int
    line_number: int
    reason: str
    raw: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Rejection:
        """From what the services return."""
        return cls(row["row_number"], row["line_number"], row["reason"], row["raw"])
