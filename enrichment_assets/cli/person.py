"""`enrich person ...`: what is known of somebody: found, given to them, erased (docs/privacy.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enrichment_assets.services.people.inventory import Scope

app = typer.Typer(
    name="person",
    help="What is known of a person: where it stands, as a file for them, and erasing it.",
    no_args_is_help=True,
)

Email = Annotated[str | None, typer.Option("--email", help="An e-mail address of theirs.")]
Linkedin = Annotated[str | None, typer.Option("--linkedin", help="Their LinkedIn profile.")]
Name = Annotated[str | None, typer.Option("--name", help="Their first and last name, together with --company.")]
Company = Annotated[str | None, typer.Option("--company", help="Their company: its domain, or its name.")]
OfClient = Annotated[str | None, typer.Option("--client", help="Only this client's data. [default: every client's]")]


@app.command("find")
def find(
    email: Email = None,
    linkedin: Linkedin = None,
    name: Name = None,
    company: Company = None,
    client: OfClient = None,
    as_json: AsJson = False,
) -> None:
    """Say where a person stands: tables, kept files, Parquet, Dagster's history, reports. Shows no value of theirs.

    Example: enrich person find --email ann@acme.com
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.people import access
    from enrichment_assets.services.people.identifying import whom_of
    from enrichment_assets.services.shapes import people as shapes

    whom = whom_of(email, linkedin, name, company)
    found = access.find(_scope(client), whom)
    if as_json:
        print_json(shapes.PersonFound.of(found))
        return
    rows = [(one.place, one.where, one.rows) for one in found.traces.found]
    print_table(("place", "where", "rows"), rows, empty="nothing is known of that person")
    for left in found.traces.left:
        say(f"look after it yourself: {left.where}: {left.why}")
    if found.person.shared:
        say(f"{found.person.shared} of their addresses and numbers are others' too; by those nothing is looked for")


@app.command("export")
def export(
    to: Annotated[Path, typer.Option("--to", help="The .json file to write.")],
    email: Email = None,
    linkedin: Linkedin = None,
    name: Name = None,
    company: Company = None,
    client: OfClient = None,
    as_json: AsJson = False,
) -> None:
    """Write all that is known of a person to one JSON file, for them.

    Read it before you send it: a row that only names them may name others too.

    Example: enrich person export --email ann@acme.com --to ann.json
    """
    from enrichment_assets.services.people import access
    from enrichment_assets.services.people.identifying import whom_of
    from enrichment_assets.services.shapes import people as shapes

    whom = whom_of(email, linkedin, name, company)
    rows = access.export(_scope(client), whom, to, actor=actor())
    if as_json:
        print_json(shapes.PersonExport(str(to), rows))
        return
    say(f"{rows} rows written to {to}; read them before you send them: some may name others too")


@app.command("erase")
def erase(
    email: Email = None,
    linkedin: Linkedin = None,
    name: Name = None,
    company: Company = None,
    client: OfClient = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for those who ask later.")] = "",
    as_json: AsJson = False,
) -> None:
    """Erase a person everywhere, and keep them out: later lists, late answers and restored backups too.

    Their rows stay rows, without a person, so that all counts stay true. It cannot be taken back. Ended in between, it
    goes on by itself.

    Example: enrich person erase --email ann@acme.com --reason 'Art. 17, ticket 815'
    """
    from enrichment_assets.services.people import erasing
    from enrichment_assets.services.people.identifying import whom_of
    from enrichment_assets.services.shapes import people as shapes

    whom = whom_of(email, linkedin, name, company)
    certificate = erasing.erase(_scope(client), whom, reason, actor=actor())
    if as_json:
        print_json(shapes.Certificate.of(certificate))
        return
    _say_certificate(certificate)


@app.command("erased")
def erased(as_json: AsJson = False) -> None:
    """List who was erased, by hash, the latest first; what was not done is done first.

    Example: enrich person erased
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.people import erasing
    from enrichment_assets.services.people.keeping_out import look_again
    from enrichment_assets.services.shapes import people as shapes

    scope = _scope(None)
    look_again(scope, actor=actor())
    found = erasing.certificates(scope)
    if as_json:
        print_json(map(shapes.Certificate.of, found))
        return
    rows = [
        (one["subject"], one["client"] or "all", one["items"], one["reason"], one["actor"], one["finished_at"])
        for one in found
    ]
    print_table(("subject", "client", "items", "why", "said by", "done"), rows, empty="nobody was erased")


@app.command("known")
def known(
    who: Annotated[str, typer.Argument(help="An e-mail address or a LinkedIn profile.")],
    client: OfClient = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a person is known: in which batches they are, what was paid for their leads, and how sure that is.

    Example: enrich person known ann@acme.com
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.domain.money import of_currencies, shown_sum
    from enrichment_assets.services.insight.golden import known_person
    from enrichment_assets.services.shapes import people as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    found = known_person(opened_hq(settings), settings, who, client)
    if as_json:
        print_json(map(shapes.KnownPerson.of, found))
        return
    rows = [
        (
            one.client,
            one.full_name,
            one.email,
            one.confidence,
            one.leads,
            ", ".join(one.batches),
            shown_sum(of_currencies(one.cost)),
            one.last_seen,
        )
        for one in found
    ]
    columns = ("client", "name", "email", "confidence", "leads", "batches", "paid", "last seen")
    print_table(columns, rows, empty="nobody of that address or profile is known")
    for one in found:
        if one.hold_reason:
            say(f"{one.person_id} is held, and joined with nobody: {one.hold_reason}")


@app.command("certificate")
def certificate(
    subject: Annotated[str, typer.Argument(help="As `erase` and `erased` show it, or the erasure's number.")],
    to: Annotated[Path | None, typer.Option("--to", help="A .json or .md file; without it, it is printed.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the certificate of an erasure, or write it: what was done where and when, and nothing of the person.

    Example: enrich person certificate 3f2a9c0d11e84b7a --to certificate.md
    """
    from enrichment_assets.domain.errors import EnrichError
    from enrichment_assets.services.insight.target_files import checked_target
    from enrichment_assets.services.people import erasing
    from enrichment_assets.services.people.certificates import as_markdown
    from enrichment_assets.services.shapes import people as shapes

    found = erasing.certificate_of(_scope(None), subject)
    if as_json:
        print_json(shapes.Certificate.of(found))
        return
    if to is None:
        say(as_markdown(found))
        return
    if to.suffix not in (".json", ".md"):
        raise EnrichError(f"{to} is no .json or .md file", code="person.certificate_format")
    target = checked_target(to)
    target.write_text(json.dumps(found, indent=2) if to.suffix == ".json" else as_markdown(found), encoding="utf-8")
    say(f"written to {to}")


def _scope(client: str | None) -> Scope:
    from enrichment_assets.installation.databases import open_databases
    from enrichment_assets.services.people.inventory import scope_of
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    return scope_of(hq, settings, open_databases(settings).dagster, client)


def _say_certificate(done: Mapping[str, Any]) -> None:
    say(f"erased: {done['items']} items are without a person, and {done['identities']} identities are kept out")
    for left in done["left_to_a_person"]:
        say(f"look after it yourself: {left['where']}: {left['why']}")
    for still in done["still_found"]:
        say(f"still found: {still['rows']} in {still['place']}, {still['where']}", err=True)
    say(f"the certificate: enrich person certificate {done['subject']}")
