"""`enrich user`: who logs in, and what they may (docs/access.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say
from enrichment_assets.domain.access import Role

if TYPE_CHECKING:
    from enrichment_assets.services.access.users import Setup

app = typer.Typer(help="Users: add, list, change roles, disable, reset, authenticators.", no_args_is_help=True)

Login = Annotated[str, typer.Argument(help="The name that they log in with.")]
OfClient = Annotated[str | None, typer.Option("--client", help="To this client only. [default: to all clients]")]


@app.command("add")
def add(
    login: Login,
    role: Annotated[Role, typer.Option("--role", help="What they are.")] = Role.READER,
    client: OfClient = None,
    as_json: AsJson = False,
) -> None:
    """Add somebody who logs in. What is printed is a token for them: by it they set their password, once.

    Each role may what those behind it may: owner (users and keys), operator (pause, resume, cancel, see the audit log),
    reviewer (correct leads), reader (see batches and leads).

    Example: enrich user add ada --role operator --client acme
    """
    from enrichment_assets.services.access.users import add_user

    made = add_user(opened_hq(), login, role, actor=actor(), client=client)
    _print_setup(made, as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show who logs in, and what they are.

    Example: enrich user list
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.access.users import list_users
    from enrichment_assets.services.shapes import access as shapes

    found = list_users(opened_hq())
    if as_json:
        print_json(map(shapes.User.of, found))
        return
    rows = [
        (
            one.login,
            ", ".join(f"{role.value} of {client or 'all'}" for client, role in one.roles.items()) or "(nothing)",
            "disabled" if one.disabled_at else "" if one.password_hash else "no password yet",
            "yes" if one.totp_step is not None else "",
            one.last_login_at,
        )
        for one in found
    ]
    columns = ("login", "is", "state", "authenticator", "last login")
    print_table(columns, rows, empty="no users yet: enrich user add LOGIN --role owner")


@app.command("role")
def role(
    login: Login,
    role: Annotated[Role | None, typer.Argument(help="What they are from now on.")] = None,
    client: OfClient = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the role away.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give somebody another role, for all clients or for one; the others stay. It counts at once.

    Example: enrich user role ada reviewer --client acme
    """
    from enrichment_assets.services.access.users import change_role

    if (role is None) != remove:
        raise typer.BadParameter("name a role, or --remove")
    changed = change_role(opened_hq(), login, role, actor=actor(), client=client)
    of_whom = "all clients" if client is None else f"client {client}"
    now = f"is {role.value} of {of_whom}" if role else f"is nothing to {of_whom}"
    _print_change(login, changed, now, as_json)


@app.command("disable")
def disable(login: Login, as_json: AsJson = False) -> None:
    """Let somebody in no more; their sessions end at once. What they did stays in the audit log.

    Example: enrich user disable ada
    """
    from enrichment_assets.services.access.users import disable_user

    _print_change(login, disable_user(opened_hq(), login, actor=actor()), "is let in no more", as_json)


@app.command("enable")
def enable(login: Login, as_json: AsJson = False) -> None:
    """Let somebody in again who was disabled, with the password that they had.

    Example: enrich user enable ada
    """
    from enrichment_assets.services.access.users import enable_user

    _print_change(login, enable_user(opened_hq(), login, actor=actor()), "may log in", as_json)


@app.command("reset")
def reset(login: Login, as_json: AsJson = False) -> None:
    """End somebody's password and sessions, and print the token by which they set the next one, once.

    Example: enrich user reset ada
    """
    from enrichment_assets.services.access.users import reset_user

    _print_setup(reset_user(opened_hq(), login, actor=actor()), as_json)


@app.command("totp")
def totp(
    login: Login,
    code: Annotated[str | None, typer.Option("--code", help="A code of the authenticator: it is confirmed.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Take the authenticator and the recovery codes away.")] = False,
    as_json: AsJson = False,
) -> None:
    """Set up an authenticator for somebody: first the secret is printed; with --code it counts from then on.

    Example: enrich user totp ada
    """
    from enrichment_assets.services.access.second_factors import begin_totp, confirm_totp, end_totp
    from enrichment_assets.services.access.signing import Signing
    from enrichment_assets.services.shapes import access as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    if off:
        _print_change(login, end_totp(hq, login, actor=actor()), "needs no authenticator", as_json)
    elif code is not None:
        codes = confirm_totp(hq, Signing.of(settings), login, code, actor=actor())
        if as_json:
            print_json(shapes.TotpSetup(login, None, None, tuple(codes)))
            return
        say(f"{login}'s authenticator is asked for from now on; each of these stands in for it once:")
        for one in codes:
            say(f"  {one}")
    else:
        made = begin_totp(hq, Signing.of(settings), login, actor=actor())
        if as_json:
            print_json(shapes.TotpSetup.of(made))
            return
        say(f"secret for {made.login}'s authenticator, shown once: {made.secret}")
        say(f"as an address: {made.address}")
        say(f"then confirm it with a code: enrich user totp {made.login} --code 123456")


def _print_setup(made: Setup, as_json: bool) -> None:
    from enrichment_assets.services.shapes import access as shapes

    if as_json:
        print_json(shapes.UserSetup.of(made))
        return
    say(f"one-time token for {made.login}, shown once, good for {made.hours:.0f} hours: {made.token}")
    say("they set their password by it: at /password of the console, or POST /api/v1/password (docs/access.md)")


def _print_change(login: str, changed: bool, now: str, as_json: bool) -> None:
    from enrichment_assets.services.shapes import access as shapes

    if as_json:
        print_json(shapes.UserChange(login, changed))
    else:
        say(f"{login} {now}" + ("" if changed else ", as before"))
