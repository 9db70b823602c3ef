"""`enrich client grant-reader`, `revoke-reader`, `readers`: a client's own rows, in Postgres (docs/tenants.md)."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say


def grant_reader(
    client: Annotated[str, typer.Argument(help="The client's slug.")],
    password_env: Annotated[
        str | None,
        typer.Option("--password-env", help="NAME of the environment variable that has its password."),
    ] = None,
    renew: Annotated[
        bool, typer.Option("--renew", help="Make up another password for the role that the client has.")
    ] = False,
    role: Annotated[
        str | None, typer.Option("--role", help="A role that your administrator made, instead of a new one.")
    ] = None,
    decides: Annotated[
        bool, typer.Option("--decides", help="It may also change status and approval of prospects, by SQL.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a role in the workspace database that sees this client's rows of the results, and no others.

    Without --password-env a password is made up and printed this once. Run it again at any time: what is as
    it is to be stays.

    Example: enrich client grant-reader acme --password-env ACME_READER_PASSWORD
    """
    from enrichment_assets.domain.errors import ConfigurationError
    from enrichment_assets.services.catalog import readers
    from enrichment_assets.services.shapes import catalog as shapes

    if role is not None and (renew or password_env):
        raise typer.BadParameter("the password of --role is your administrator's: leave --password-env and --renew out")
    password = None if password_env is None else os.environ.get(password_env, "")
    if password == "":
        raise ConfigurationError(
            f"the environment variable {password_env} is not set, or empty", code="reader.password_missing"
        )
    hq, options = opened_hq(), {"renew": renew, "decides": decides}
    granted = readers.grant_reader(hq, client, actor=actor(), password=password, role=role, **options)
    if as_json:
        print_json(shapes.ReaderGrant.of(granted))
        return
    say(f"role {granted.reader.role} sees the rows of client {client} in {granted.database}")
    say(f"it reads: {', '.join(granted.relations) or 'nothing yet; what is published from now on'}")
    if granted.password is not None:
        say(f"password: {granted.password}")
        say("it is kept nowhere: note it now")


def revoke_reader(
    client: Annotated[str, typer.Argument(help="The client's slug.")],
    as_json: AsJson = False,
) -> None:
    """Take a client's reader role away: it sees nothing from then on, not in an open session either.

    Example: enrich client revoke-reader acme
    """
    from enrichment_assets.services.catalog import readers
    from enrichment_assets.services.shapes import catalog as shapes

    revoked = readers.revoke_reader(opened_hq(), client, actor=actor())
    if as_json:
        print_json(shapes.ReaderRevocation.of(revoked))
        return
    say(f"role {revoked.role} of client {client} sees nothing any more" + ("" if revoked.left else ", and is gone"))
    if revoked.left:
        say(f"the role itself is still there: {revoked.left}")


def list_readers(as_json: AsJson = False) -> None:
    """List the reader roles of all clients.

    Example: enrich client readers --json
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.catalog import readers
    from enrichment_assets.services.shapes import catalog as shapes

    found = readers.list_readers(opened_hq())
    if as_json:
        print_json(map(shapes.Reader.of, found))
        return
    rows = [(one.client, one.role, one.granted_at, "yes" if one.exists else "no: grant it again") for one in found]
    print_table(("client", "role", "since", "there"), rows, empty="no readers: enrich client grant-reader SLUG")
