"""Lists of a client by which the gate refuses leads: customers, open deals, competitors, accounts of colleagues.

A row names a company by its domain, its website, its name, or an address of somebody there; a private mailbox names its
owner alone. What a CRM knows comes the same way, as rows (`put_rows`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.domains import host_of
from enrichment_assets.domain.emails import normalise_email
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.gate.companies import DOMAIN, NAME, PERSON, company_of
from enrichment_assets.domain.gate.rules import ListKind
from enrichment_assets.domain.mail_aliases import mailbox
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.suppression import Hasher, Identity, Kind, masked
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.people.importing import ListFile, open_list, rows_of
from enrichment_assets.services.people.pepper import must_compare, pepper_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.database import Connection
from enrichment_assets.store.deliveries import gate_settings as store
from enrichment_assets.store.deliveries.gate_settings import ListRow, NewEntry
from enrichment_assets.store.hq import Hq

OWNER_HEADERS = frozenset({"owner", "account owner", "owner name", "account manager", "assigned to", "hubspot owner"})
MOST_FAULTS = 20
AT_ONCE = 5_000
_FIELDS = ("company_domain", "company_website", "company_name", "email")


@dataclass
class ListReport:
    """What a list came to.

    Attributes:
        rows: Rows that were read.
        added: Entries that are new: a company may have several, one for each domain and its name.
        removed: Entries of the same source that were taken out, where the list replaces it.
        not_understood: Rows that name no company and nobody.
        faults: (line, why) of the first of those.
    """

    rows: int = 0
    added: int = 0
    removed: int = 0
    not_understood: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)

    def refuse(self, line: int, why: str) -> None:
        """Count a row that names nobody."""
        self.rows += 1
        self.not_understood += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append((line, why))


def add_list(
    hq: Hq, settings: Settings, client: str, kind: ListKind, path: Path, *, actor: Actor, replace: bool = False
) -> ListReport:
    """Add the companies and people of a file to a client's list; `replace`: what the file has no more goes.

    Raises:
        UploadRefusedError: It cannot be read as a list.
        ConfigurationError: The pepper is missing or another.
        NotFoundError: There is no such client.
    """
    report = ListReport()
    rows = list(_rows_of_file(open_list(path, settings.max_upload_bytes), report))
    return _put(hq, settings, client, kind, rows, path.name, report, actor=actor, replace=replace)


def put_rows(
    hq: Hq,
    settings: Settings,
    client: str,
    kind: ListKind,
    rows: Sequence[Mapping[str, str]],
    source: str,
    *,
    actor: Actor,
) -> ListReport:
    """Have a client's list say, of this source, exactly what these rows say: what a CRM knows now.

    `rows`: `company_domain`, `company_website`, `company_name`, `email`, `owner`, each where it is known. Raises as
    `add_list`.
    """
    report = ListReport()
    numbered = [(number, dict(row)) for number, row in enumerate(rows, 1)]
    return _put(hq, settings, client, kind, numbered, source, report, actor=actor, replace=True)


def _put(
    hq: Hq,
    settings: Settings,
    client: str,
    kind: ListKind,
    rows: Sequence[tuple[int, Mapping[str, str]]],
    source: str,
    report: ListReport,
    *,
    actor: Actor,
    replace: bool,
) -> ListReport:
    if not source.strip() or len(source) > 200:
        raise ConfigurationError("a list has a source of up to 200 characters", code="gate.list_source")
    pepper = pepper_of(hq, settings)
    with hq.transaction() as connection:
        client_id = client_row(connection, client)["id"]
        hasher = must_compare(connection, pepper)
        entries: list[NewEntry] = []
        for line, row in rows:
            found = list(_entries(row, hasher))
            entries += found
            if found:
                report.rows += 1
            else:
                report.refuse(line, "names no company and nobody")
        if replace:
            report.removed = _without(connection, client_id, kind, source, {entry.key for entry in entries})
        for start in range(0, len(entries), AT_ONCE):
            report.added += store.add_entries(
                connection, client_id, kind.value, entries[start : start + AT_ONCE], source, str(actor)
            )
        if report.added or report.removed:
            said = {"kind": kind.value, "source": source, "added": report.added, "removed": report.removed}
            note_action(connection, actor, Code.GATE_LIST, f"{client}/{kind.value}", client_id=client_id, after=said)
    return report


def _without(connection: Connection, client_id: int, kind: ListKind, source: str, keep: set[str]) -> int:
    """Take out what a source said before and says no more."""
    listed = store.keys_of(connection, client_id, kind.value, source)
    gone = [key for key in listed if key not in keep]
    return store.remove_entries(connection, client_id, kind.value, source=source, keys=gone) if gone else 0


def remove_list(hq: Hq, client: str, kind: ListKind, *, source: str | None, company: str | None, actor: Actor) -> int:
    """Take entries out of a client's list: those of a source, of a company (domain or name), or all. How many.

    Raises:
        ConfigurationError: `company` is no company.
        NotFoundError: There is no such client.
    """
    keys = None if company is None else _keys_of(company)
    with hq.transaction() as connection:
        client_id = client_row(connection, client)["id"]
        gone = store.remove_entries(connection, client_id, kind.value, source=source, keys=keys)
        if gone:
            said = {"kind": kind.value, "source": source, "removed": gone}
            note_action(connection, actor, Code.GATE_LIST, f"{client}/{kind.value}", client_id=client_id, after=said)
    return gone


def _keys_of(company: str) -> list[str]:
    found = company_of({"company_domain": company} if host_of(company) else {"company_name": company})
    keys = [*(f"{DOMAIN}{host}" for host in found.hosts), *([f"{NAME}{found.name}"] if found.name else [])]
    if not keys:
        raise ConfigurationError(f"{company[:80]!r} is no company", code="gate.not_a_company")
    return keys


def show_lists(hq: Hq, client: str, kind: ListKind | None = None, *, limit: int = 100) -> list[ListRow]:
    """Entries of a client's lists, the newest first. Raises `NotFoundError`."""
    with hq.transaction() as connection:
        client_id = client_row(connection, client)["id"]
        return store.list_entries(connection, client_id, None if kind is None else kind.value, limit)


def _rows_of_file(opened: ListFile, report: ListReport) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, what it says by field); a file of one column has no header where that is a company itself."""
    owners = [n for n, name in enumerate(opened.names) if name.strip().casefold() in OWNER_HEADERS]
    known = any(name in _FIELDS for name in opened.fields)
    if not known and host_of(opened.names[0]) is not None:
        yield 1, _plain(opened.names[0])
    for line, cells in rows_of(opened.reading, report.refuse):
        if not known:
            yield line, _plain(next(iter(cells.values()), ""))
            continue
        row = {}
        for n, cell in cells.items():
            name = opened.fields[n]
            if name in _FIELDS and name not in row:
                row[name] = cell
        if owners and owners[0] in cells:
            row["owner"] = cells[owners[0]].strip()
        yield line, row


def _plain(cell: str) -> dict[str, str]:
    """What a cell of a list without known columns says: an address, a domain, or a company's name."""
    if "@" in cell:
        return {"email": cell}
    return {"company_domain": cell} if host_of(cell) is not None else {"company_name": cell}


def _entries(row: Mapping[str, str], hasher: Hasher) -> Iterator[NewEntry]:
    """The entries that a row makes: one for each host of its company, its name, and a person with a private mailbox."""
    company, owner = company_of(row), (row.get("owner") or "").strip()[:200] or None
    label = (company.shown or company.host or "")[:200]
    for host in sorted(company.hosts):
        yield NewEntry(f"{DOMAIN}{host}", label, owner)
    if company.name is not None:
        yield NewEntry(f"{NAME}{company.name}", label, owner)
    address = normalise_email(row.get("email") or "")
    if address is not None:
        who = Identity(Kind.EMAIL, mailbox(address))
        yield NewEntry(f"{PERSON}{hasher.hashed(who).hex()}", label or masked(who), owner)
