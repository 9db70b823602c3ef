"""What a client offers, for prompts: showing it, changing it, and its versions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.client_profiles import ClientProfile, parsed_profile, with_values
from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.operator_actions import Code, differences
from enrichment_assets.domain.versions import Seen
from enrichment_assets.domain.yaml_text import line_numbers, load_yaml
from enrichment_assets.services.catalog.definition_files import read_definition
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.catalog import profiles as store
from enrichment_assets.store.catalog.profiles import StoredProfile
from enrichment_assets.store.hq import Hq


def get_profile(hq: Hq, client: str, version: int | None = None) -> StoredProfile:
    """A version of a client's profile; None: the one in force.

    Raises:
        NotFoundError: No such client, no profile yet, or no such version.
    """
    found = profile_history(hq, client)
    if not found:
        raise NotFoundError(
            f"client {client} has no profile yet", Hint(Action.SET_PROFILE, {"client": client}),
            code="client_profile.none",
        )  # fmt: skip
    if version is None:
        return found[0]
    for one in found:
        if one.version == version:
            return one
    raise NotFoundError(
        f"client {client} has no profile of version {version}: the latest is {found[0].version}",
        code="client_profile.version_not_found",
    )


def profile_history(hq: Hq, client: str) -> list[StoredProfile]:
    """All versions of a client's profile, the latest first. Raises `NotFoundError`: no such client."""
    with hq.transaction() as connection:
        return store.versions(connection, client_row(connection, client)["id"])


def set_profile(
    hq: Hq,
    client: str,
    *,
    actor: Actor,
    values: Mapping[str, Any] | None = None,
    file: Path | None = None,
    seen: Seen | None = None,
) -> tuple[StoredProfile, bool]:
    """Change a client's profile; the version in force then, and whether it is new.

    Batches that were launched keep the version of their launch. What says the same as the version in force makes none.

    Args:
        hq: The databases.
        client: Its slug.
        actor: Who changes it.
        values: Name or dotted path (`sender.name`) to value; null takes one out.
        file: A YAML file that is the whole profile; `values` are changes of it then.
        seen: The content hash of the version that whoever changes it has seen; None: they do not say.

    Raises:
        ChangedMeanwhileError: Another version is in force than they have seen.
        NotFoundError: No such client.
        ConfigurationError: A value that fits nowhere, with its place, its line and what was probably meant.
    """
    whole = None if file is None else _read(file)
    with hq.transaction() as connection:
        client_id = client_row(connection, client)["id"]
        store.lock_client(connection, client_id)
        before = store.latest(connection, client_id)
        if seen is not None:
            seen.check(None if before is None else before.content_hash, f"the profile of the client {client}")
        current = before.profile if before is not None else ClientProfile()
        profile = with_values(current if whole is None else whole, values or {}, f"client {client}")
        if before is not None and before.content_hash == profile.content_hash:
            return before, False
        stored = store.insert(connection, client_id, before.version + 1 if before is not None else 1, profile, actor)
        changed = differences(current.values(), profile.values())[1]
        note_action(
            connection,
            actor,
            Code.CLIENT_PROFILE,
            client,
            client_id=client_id,
            before=None if before is None else {"version": before.version},
            after={"version": stored.version, "content_hash": stored.content_hash, "changed": sorted(changed)},
        )
    return stored, True


def _read(file: Path) -> ClientProfile:
    text = read_definition(file)
    return parsed_profile(load_yaml(text, file.name), file.name, line_numbers(text))
