"""Reading lists of people who said no: any file that an upload can be, or one column without a header.

Of a row its person counts: e-mail address, phone number, LinkedIn profile, all that there are; where it has none of
them, its name at its company. A domain counts only where the list names no persons at all: an export of people who
unsubscribed has their companies' sites too, and nobody said no for everybody there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, UploadRefusedError
from enrichment_assets.domain.headers import map_headers
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.suppression import Identity, Kind, person_at_company, read_identity
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.people.pepper import must_compare, pepper_of
from enrichment_assets.services.people.suppressing import Terms, write
from enrichment_assets.services.uploads.csv_files.encodings import EncodingScan
from enrichment_assets.services.uploads.file_readings import Reading, find_reading, open_reading
from enrichment_assets.services.uploads.options import UploadOptions
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.hq import Hq

MOST_FAULTS = 20
"""Rows that could not be understood and are named; the rest is counted."""

_CHUNK = 1 << 20
_SAMPLED = 200
_OF_FIELD = {
    "email": Kind.EMAIL,
    "phone": Kind.PHONE,
    "linkedin_url": Kind.LINKEDIN,
    "company_domain": Kind.DOMAIN,
    "company_website": Kind.DOMAIN,
}
_NAMES = ("first_name", "last_name", "full_name")


@dataclass(frozen=True, slots=True)
class Fault:
    """A row of which nobody can be suppressed: its line in the file, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a list came to.

    Attributes:
        rows: Rows that were read.
        added: Identities that are suppressed now and were not before.
        known: Identities that were suppressed already.
        kinds: Kind -> identities in the list.
        not_understood: Rows that name nobody.
        faults: The first of those.
    """

    rows: int
    added: int
    known: int
    kinds: Mapping[str, int]
    not_understood: int
    faults: tuple[Fault, ...]


@dataclass
class _List:
    """A file as it is read."""

    kind: Kind | None
    country: str | None
    rows: int = 0
    identities: set[Identity] = field(default_factory=set)
    not_understood: int = 0
    faults: list[Fault] = field(default_factory=list)

    def refuse(self, line: int, reason: str) -> None:
        self.not_understood += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(line, reason))


def import_list(
    hq: Hq,
    settings: Settings,
    path: Path,
    terms: Terms,
    *,
    actor: Actor,
    kind: Kind | None = None,
    country: str | None = None,
    dry_run: bool = False,
) -> ImportReport:
    """Suppress everybody whom a file names, in one transaction.

    Args:
        hq: The databases.
        settings: The installation.
        path: A file of delimited text, or a workbook.
        terms: For whom, why, how long.
        actor: Who says so.
        kind: What every cell of its first column is; None: what headers and cells look like.
        country: By which numbers without `+` are read.
        dry_run: Only read it; `added` is what is not suppressed yet.

    Raises:
        UploadRefusedError: It cannot be read as a list.
        NotFoundError: There is no such client.
        ConfigurationError: The pepper is missing or another.
    """
    read = read_list(path, settings.max_upload_bytes, kind, country)
    pepper = pepper_of(hq, settings)
    with hq.transaction() as connection:
        client_id = None if terms.client is None else client_row(connection, terms.client)["id"]
        hasher = must_compare(connection, pepper)
        added = write(connection, hasher, read.identities, terms, client_id, actor)
        kinds = dict(sorted(Counter(one.kind.value for one in read.identities).items()))
        if dry_run:
            connection.rollback()
        elif read.identities:
            said = {"rows": read.rows, "added": added, "kinds": kinds, "reason": terms.reason, "days": terms.days}
            note_action(connection, actor, Code.SUPPRESSION_IMPORT, path.name, client_id=client_id, after=said)
    return ImportReport(read.rows, added, len(read.identities) - added, kinds, read.not_understood, tuple(read.faults))


@dataclass(frozen=True, slots=True)
class ListFile:
    """A list that was opened: the names of its columns, which field each is (None: none is known), and its rows."""

    names: Sequence[str]
    fields: Sequence[str | None]
    reading: Reading


# opens files of others: the list that a person names, of bounded size
def open_list(path: Path, most_bytes: int) -> ListFile:
    """A file of delimited text or a workbook as a list. Raises `UploadRefusedError` where it is none."""
    size = path.stat().st_size
    if size > most_bytes:
        raise UploadRefusedError(
            f"{path.name} has {size:,} bytes: at most {most_bytes:,}", code="suppression.list_too_large"
        )
    scan = EncodingScan()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            scan.feed(chunk)
    found = find_reading(path, size, scan, UploadOptions())
    reading = open_reading(path, found.shape)
    samples = _samples(path, found.shape, len(reading.names))
    fields = [meaning.field if meaning else None for meaning in map_headers(reading.names, samples)]
    return ListFile(reading.names, fields, reading)


def read_list(path: Path, most_bytes: int, kind: Kind | None, country: str | None) -> _List:
    """Everybody whom a file names. Raises `UploadRefusedError` where it is no list."""
    opened, read = open_list(path, most_bytes), _List(kind, country)
    if _is_row(opened.names, kind, country):  # one column of addresses has no header
        _take(read, 1, dict(enumerate(opened.names)), opened.fields)

    def refuse(line: int, reason: str) -> None:
        read.rows += 1
        read.refuse(line, reason)

    for line, cells in rows_of(opened.reading, refuse):
        _take(read, line, cells, opened.fields)
    return read


def _samples(path: Path, shape: object, columns: int) -> list[list[str]]:
    rows = open_reading(path, shape).first_rows(_SAMPLED)  # type: ignore[arg-type]
    return [[row[n] for row in rows if n < len(row) and row[n].strip()] for n in range(columns)]


def rows_of(reading: Reading, refuse: Callable[[int, str], None]) -> Iterator[tuple[int, dict[int, str]]]:
    """(line, column -> cell that is not empty) of each row; `refuse` is told of lines that are none, and why."""
    for segment in reading.segments():
        for rejection in segment.rejections:
            refuse(rejection.line_number, rejection.reason)
        if segment.rows:
            batch = segment.batch(reading.schema)
            lines = batch.column(1).to_pylist()
            cells = [column.to_pylist() for column in batch.columns[2:]]
            for line, row in zip(lines, zip(*cells, strict=True), strict=True):
                yield line, {n: cell for n, cell in enumerate(row) if cell and cell.strip()}


def _is_row(names: Sequence[str], kind: Kind | None, country: str | None) -> bool:
    return any(_read(name, kind, country) is not None for name in names if name.strip())


def _take(read: _List, line: int, cells: Mapping[int, str], fields: Sequence[str | None]) -> None:
    """Take whom a row names."""
    if not cells:
        return
    read.rows += 1
    found = _named(read, cells, fields)
    if found:
        read.identities |= found
    else:
        first = next(iter(cells.values()))
        read.refuse(line, _why(first, read.kind, read.country))


def _named(read: _List, cells: Mapping[int, str], fields: Sequence[str | None]) -> set[Identity]:
    if read.kind is not None or not any(fields):
        found = (_read(cell, read.kind, read.country) for cell in cells.values())
        return {one for one in found if one is not None}
    by_kind: set[Identity] = set()
    country = _cell(cells, fields, "country") or read.country
    for n, cell in cells.items():
        kind = _OF_FIELD.get(fields[n] or "")
        if kind is not None and (one := _read(cell, kind, country)) is not None:
            by_kind.add(one)
    persons = {one for one in by_kind if one.kind is not Kind.DOMAIN}
    if persons:
        return persons
    name = _cell(cells, fields, "full_name") or " ".join(
        filter(None, (_cell(cells, fields, "first_name"), _cell(cells, fields, "last_name")))
    )
    places = (_cell(cells, fields, name) for name in ("company_domain", "company_website", "company_name"))
    company = next(filter(None, places), "")
    if name and company:
        try:
            return {person_at_company(name, company)}
        except ConfigurationError:
            return set()
    of_persons = {"email", "phone", "linkedin_url", *_NAMES}
    return set() if of_persons & {field for field in fields if field} else by_kind


def _cell(cells: Mapping[int, str], fields: Sequence[str | None], name: str) -> str | None:
    return next((cells[n] for n, field in enumerate(fields) if field == name and n in cells), None)


def _read(text: str, kind: Kind | None, country: str | None) -> Identity | None:
    try:
        return read_identity(text, kind, country)
    except ConfigurationError:
        return None


def _why(text: str, kind: Kind | None, country: str | None) -> str:
    try:
        read_identity(text, kind, country)
    except ConfigurationError as error:
        return str(error)
    return "names a company and no person, in a list of persons"
