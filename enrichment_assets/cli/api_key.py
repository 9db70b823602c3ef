"""`enrich api-key`: keys of the HTTP API (docs/access.md)."""

from __future__ import annotations

from typing import Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say
from enrichment_assets.domain.access import SCOPES

app = typer.Typer(help="Keys of the HTTP API: make, list, revoke.", no_args_is_help=True)

_SCOPES = ", ".join(sorted(SCOPES))


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Under which its changes are written down. No name comes twice.")],
    scope: Annotated[list[str], typer.Option("--scope", help=f"What it may: {_SCOPES}. Repeatable.")],
    client: Annotated[str | None, typer.Option("--client", help="For this client only. [default: for all]")] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=3_650, help="How long it counts.")] = 365,
    forever: Annotated[bool, typer.Option("--forever", help="It counts until it is revoked.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a key. It is printed once, and kept as a hash only.

    Example: enrich api-key create zapier --scope batches:read --scope leads:read --client acme
    """
    from enrichment_assets.services.access.api_keys import create_key
    from enrichment_assets.services.shapes import access as shapes

    made = create_key(opened_hq(), name, scope, actor=actor(), client=client, days=None if forever else days)
    if as_json:
        print_json(shapes.NewApiKey.of(made))
        return
    until = "until it is revoked" if made.key.expires_at is None else f"until {made.key.expires_at:%Y-%m-%d}"
    say(f"key {name}, shown once: {made.text}")
    say(f"it may {', '.join(made.key.scopes)} for {made.key.client or 'all clients'}, {until}")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show all keys, the latest first, those that count no more among them.

    Example: enrich api-key list
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.access.api_keys import list_keys
    from enrichment_assets.services.shapes import access as shapes

    found = list_keys(opened_hq())
    if as_json:
        print_json(map(shapes.ApiKey.of, found))
        return
    rows = [
        (
            one.name,
            one.prefix,
            one.client or "all",
            ", ".join(one.scopes),
            "revoked" if one.revoked_at else "over" if one.is_over else "",
            one.expires_at,
            one.last_used_at,
        )
        for one in found
    ]
    print_table(
        ("name", "prefix", "client", "may", "state", "until", "last used"),
        rows,
        empty="no keys yet: enrich api-key create NAME --scope batches:read",
        brief=("name", "client", "may", "state", "last used"),
    )


@app.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(help="The key's name.")],
    as_json: AsJson = False,
) -> None:
    """Let a key count no more, from this moment on.

    Example: enrich api-key revoke zapier
    """
    from enrichment_assets.services.access.api_keys import revoke_key
    from enrichment_assets.services.shapes import access as shapes

    changed = revoke_key(opened_hq(), name, actor=actor())
    if as_json:
        print_json(shapes.KeyChange(name, changed))
    else:
        say(f"key {name} counts no more" + ("" if changed else ", as before"))
