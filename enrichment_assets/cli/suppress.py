"""`enrich suppress ...`: nobody who said no is bought, called or written to (docs/privacy.md)."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.domain.suppression import Identity
    from enrichment_assets.services.people.suppressing import Suppressed

app = typer.Typer(
    name="suppress",
    help="People and companies that may not be bought, called or written to: by hash, for one client or for all.",
    no_args_is_help=True,
)


class KindOfText(StrEnum):
    """What a text names."""

    EMAIL = "email"
    DOMAIN = "domain"
    PHONE = "phone"
    LINKEDIN = "linkedin"


Whom = Annotated[str | None, typer.Argument(help="An e-mail address, a phone number, a LinkedIn profile or a domain.")]
Name = Annotated[str | None, typer.Option("--name", help="A person by name, together with --company.")]
Company = Annotated[str | None, typer.Option("--company", help="Their company: its domain, or its name.")]
OfKind = Annotated[KindOfText | None, typer.Option("--kind", help="What it is. [default: what it looks like]")]
Country = Annotated[
    str | None, typer.Option("--country", help="Country by which a number without + is read: Germany, DE.")
]
OfClient = Annotated[str | None, typer.Option("--client", help="Only for this client. [default: for every client]")]
Why = Annotated[str, typer.Option("--reason", help="Why, for those who ask later.")]
Days = Annotated[int | None, typer.Option("--days", min=1, max=36_500, help="For so many days. [default: for good]")]


@app.command("add")
def add(
    whom: Whom = None,
    reason: Why = "",
    name: Name = None,
    company: Company = None,
    kind: OfKind = None,
    country: Country = None,
    client: OfClient = None,
    days: Days = None,
    as_json: AsJson = False,
) -> None:
    """Suppress a person or a domain: from now on nobody is asked about them, in no batch and by no retry.

    Example: enrich suppress add ann@acme.com --reason 'asked us to stop, ticket 812'
    """
    from enrichment_assets.services.people.suppressing import Terms, suppress
    from enrichment_assets.services.shapes import people as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    identity = _identity(whom, name, company, kind, country)
    new = suppress(opened_hq(settings), settings, identity, Terms(reason, client, days), actor=actor())
    if as_json:
        print_json(shapes.SuppressionChange(identity.kind.value, client, int(new)))
        return
    until = f" for {days} days" if days else ""
    was = "is suppressed" if new else "was suppressed before"
    say(f"that {_said(identity)} {was} {_for(client)}{until}")
    say("what was found of them before stays; nobody is asked about them any more")


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="A file: one column of addresses, or any list that can be uploaded.")],
    reason: Why = "",
    kind: OfKind = None,
    country: Country = None,
    client: OfClient = None,
    days: Days = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read the file and say what it would do.")] = False,
    as_json: AsJson = False,
) -> None:
    """Suppress everybody whom a list names: by e-mail address, phone number and profile, else by name and company.

    Domains count only in a list that names no persons. A file without a header may have one column.

    Example: enrich suppress import unsubscribed.csv --client acme --reason 'unsubscribed in the old tool'
    """
    from enrichment_assets.domain.errors import EnrichError
    from enrichment_assets.domain.suppression import Kind
    from enrichment_assets.services.people.importing import import_list
    from enrichment_assets.services.people.suppressing import Terms
    from enrichment_assets.services.shapes import people as shapes
    from enrichment_assets.settings import Settings

    if not path.is_file():
        raise EnrichError(f"there is no file {path}", code="suppression.file_not_found")
    settings = Settings.from_environment()
    report = import_list(
        opened_hq(settings),
        settings,
        path,
        Terms(reason, client, days),
        actor=actor(),
        kind=Kind(kind.value) if kind else None,
        country=country,
        dry_run=dry_run,
    )
    if as_json:
        print_json(shapes.SuppressionImport.of(report))
        return
    would = "would be" if dry_run else "are"
    found = ", ".join(f"{count} {name}" for name, count in report.kinds.items()) or "nobody"
    say(f"{path.name}: {report.rows} rows name {found}")
    say(f"{report.added} {would} suppressed {_for(client)}, {report.known} were before")
    for fault in report.faults:
        say(f"  line {fault.line}: {fault.reason}")
    more = report.not_understood - len(report.faults)
    if more > 0:
        say(f"  and {more} more rows that name nobody")


@app.command("list")
def list_(
    client: OfClient = None,
    plain: Annotated[bool, typer.Option("--plain", help="Show whom they name, unmasked.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many, the latest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show who is suppressed, the latest first; with --client whoever counts for that client.

    Example: enrich suppress list --client acme
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.people.suppressing import list_suppressed
    from enrichment_assets.services.shapes import people as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    found = list_suppressed(opened_hq(settings), settings, client=client, limit=limit, plain=plain)
    if as_json:
        print_json(map(shapes.Suppression.of, found))
        return
    rows = [(one.kind, _who(one), one.client or "all", one.reason, one.actor, one.expires_at) for one in found]
    print_table(("kind", "who", "client", "why", "said by", "until"), rows, empty="nobody is suppressed")


@app.command("check")
def check(
    whom: Whom = None,
    name: Name = None,
    company: Company = None,
    kind: OfKind = None,
    country: Country = None,
    client: OfClient = None,
    as_json: AsJson = False,
) -> None:
    """Say whether somebody is suppressed, however they are written: in force, for a client or for any.

    Example: enrich suppress check 'Ann.Archer+news@gmail.com'
    """
    from enrichment_assets.services.people.suppressing import is_suppressed
    from enrichment_assets.services.shapes import people as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    identity = _identity(whom, name, company, kind, country)
    found = is_suppressed(opened_hq(settings), settings, identity, client=client)
    if as_json:
        print_json(map(shapes.Suppression.of, found))
        return
    for one in found:
        say(f"suppressed for {one.client or 'every client'} by {one.actor}: {one.reason}")
    if not found:
        say(f"that {_said(identity)} is not suppressed")


@app.command("remove")
def remove(
    whom: Whom = None,
    name: Name = None,
    company: Company = None,
    kind: OfKind = None,
    country: Country = None,
    client: OfClient = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="For every client, and for each alone.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let somebody be asked about again.

    Example: enrich suppress remove ann@acme.com --client acme
    """
    from enrichment_assets.services.people.suppressing import lift
    from enrichment_assets.services.shapes import people as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    identity = _identity(whom, name, company, kind, country)
    gone = lift(opened_hq(settings), settings, identity, client=client, everywhere=everywhere, actor=actor())
    if as_json:
        print_json(shapes.SuppressionChange(identity.kind.value, client, gone))
        return
    whom_for = "anywhere" if everywhere else _for(client)
    say(f"that {_said(identity)} is not suppressed {whom_for} any more; new batches ask about them again")


def _identity(
    whom: str | None, name: str | None, company: str | None, kind: KindOfText | None, country: str | None
) -> Identity:
    from enrichment_assets.domain.errors import EnrichError
    from enrichment_assets.domain.suppression import Kind, person_at_company, read_identity

    if name is not None and company is not None and whom is None:
        return person_at_company(name, company)
    if whom is None or name is not None or company is not None:
        raise EnrichError(
            "say whom: one address, number, profile or domain, or --name together with --company",
            code="suppression.whom",
        )
    return read_identity(whom, None if kind is None else Kind(kind.value), country)


def _who(one: Suppressed) -> str:
    return one.value or ("(erased: by hash alone)" if one.by_hash else "(another pepper)")


def _said(identity: Identity) -> str:
    from enrichment_assets.domain.suppression import NAMES

    return NAMES[identity.kind]


def _for(client: str | None) -> str:
    return "for every client" if client is None else f"for client {client}"
