"""`enrich client profile`: what a client offers, to whom and in which words, for prompts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.store.catalog.profiles import StoredProfile


def profile(
    client: Annotated[str, typer.Argument(help="The client's slug.")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="name=value, e.g. tone=Plain, sender.name=Ada; no value takes it out. Repeatable."),
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", help="A YAML file that is the whole profile.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Show it as YAML; so does naming nothing to change.")] = False,
    version: Annotated[int | None, typer.Option("--version", help="Show this version.")] = None,
    history: Annotated[bool, typer.Option("--history", help="List its versions: who set each, and when.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show or change what a client offers: prompts see it as `client_profile.offer` and the like.

    Names: ideal_customer, personas, offer, proof_points, tone, sender (name, title, company, email), never_say.
    Each change is a new version; a batch keeps the version of its launch. Lists are written [one, another].

    Example: enrich client profile acme --set "offer=Payroll for 50 to 500 people" --set "never_say=[guarantee, cheap]"
    """
    from enrichment_assets.services.catalog import profiles
    from enrichment_assets.services.shapes import catalog as shapes

    changes = bool(set_) or file is not None
    if sum((changes, show or version is not None, history)) > 1:
        raise typer.BadParameter("change it (--set, --file), show it (--show, --version) or list it (--history)")
    hq = opened_hq()
    if history:
        found = profiles.profile_history(hq, client)
        if as_json:
            print_json([shapes.ClientProfile.of(client, one) for one in found])
        else:
            _print_history(client, found)
        return
    if changes:
        stored, is_new = profiles.set_profile(hq, client, actor=actor(), values=_values(set_ or []), file=file)
        said = "set" if is_new else "unchanged"
    else:
        stored, said = profiles.get_profile(hq, client, version), ""
    if as_json:
        print_json(shapes.ClientProfile.of(client, stored))
    elif said:
        say(f"client {client}: profile {stored.version} {said}; batches that are launched from now on see it")
    else:
        _print_profile(client, stored)


def _values(assignments: Sequence[str]) -> dict[str, Any]:
    """Name to value. A text is taken as it stands: `Plain: no marks` is a mapping in YAML, and a sentence here."""
    from enrichment_assets.cli.assignments import parse_names, parse_values
    from enrichment_assets.domain.client_profiles import LISTS

    texts, parsed = parse_names(assignments, "--set"), parse_values(assignments, "--set")
    return {path: parsed[path] if path in {*LISTS, "sender"} else text for path, text in texts.items()}


def _print_profile(client: str, stored: StoredProfile) -> None:
    """As a file that `--file` takes."""
    import yaml

    from enrichment_assets.domain.visible import visible

    values = {name: value for name, value in stored.profile.values().items() if value}
    if "sender" in values:
        values["sender"] = {name: value for name, value in values["sender"].items() if value}
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=120) if values else "{}\n"
    typer.echo(f"# client {client}, profile {stored.version}, by {stored.set_by}, {stored.set_at:%Y-%m-%d %H:%M} UTC")
    typer.echo(visible(text), nl=False)


def _print_history(client: str, found: Sequence[StoredProfile]) -> None:
    """What each version changed of the one before it."""
    from itertools import pairwise

    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.domain.client_profiles import ClientProfile
    from enrichment_assets.domain.operator_actions import differences

    contents = [*(one.profile.values() for one in found), ClientProfile().values()]
    changed = [", ".join(differences(older, newer)[1]) for newer, older in pairwise(contents)]
    rows = [
        (one.version, one.set_at, one.set_by, names, one.content_hash[:16])
        for one, names in zip(found, changed, strict=True)
    ]
    nothing = f"client {client} has no profile yet: enrich client profile {client} --file profile.yaml"
    print_table(("version", "set", "by", "changed", "hash"), rows, empty=nothing)
