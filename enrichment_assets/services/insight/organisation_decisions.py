"""What people say about the names of organisations: joining two, letting one stand alone, and taking that back.

It is data: the next build of the client's organisations, which follows the next extraction of one of its batches,
honours it. Nothing that was found is changed.
"""

from __future__ import annotations

import re

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.operator_actions import LONGEST_TEXT, Code
from enrichment_assets.domain.organisation_decisions import DecisionKind
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.insight import organisation_decisions as store
from enrichment_assets.store.insight.organisation_decisions import Decision

_KEY = re.compile(r"[^\s:][^:]*:.{1,400}", re.DOTALL)


def join(hq: Hq, client: str, alias_key: str, other_key: str, reason: str, *, actor: Actor) -> Decision:
    """Say that two aliases name one organisation.

    Raises:
        NotFoundError: There is no such client.
        ConfigurationError: An alias is none, both are the same, or there is no reason.
    """
    if alias_key.strip() == other_key.strip():
        raise ConfigurationError("an alias is one with itself already", code="organisation.same_alias")
    return _decided(hq, client, DecisionKind.JOIN, alias_key, other_key, reason, actor)


def part(hq: Hq, client: str, alias_key: str, reason: str, *, actor: Actor) -> Decision:
    """Say that an alias names an organisation of its own; raises as `join`."""
    return _decided(hq, client, DecisionKind.APART, alias_key, None, reason, actor)


def undo(hq: Hq, client: str, decision: int, *, actor: Actor) -> Decision:
    """Take a decision back; what it was. Raises `NotFoundError` where none of the client's has that number."""
    with hq.transaction() as connection:
        client_id = client_row(connection, client)["id"]
        gone = store.undo(connection, client_id, decision)
        if gone is None:
            raise NotFoundError(f"client {client} has no decision {decision}", code="organisation.no_decision")
        note_action(connection, actor, Code.ORGANISATION_UNDO, decision, client_id=client_id)
        return gone


def list_decisions(hq: Hq, client: str | None = None) -> list[Decision]:
    """Those that count, of a client or of all, the latest first. Raises `NotFoundError` for an unknown client."""
    with hq.transaction() as connection:
        return store.in_force(connection, None if client is None else client_row(connection, client)["id"])


def _decided(
    hq: Hq, client: str, kind: DecisionKind, alias_key: str, other_key: str | None, reason: str, actor: Actor
) -> Decision:
    keys = [one.strip() for one in (alias_key, other_key) if one is not None]
    for key in keys:
        if not _KEY.fullmatch(key) or "\x00" in key:
            raise ConfigurationError(
                f"{key[:80]!r} is no alias: one is name:acme or host:acme.com", code="organisation.no_alias"
            )
    if not reason.strip() or len(reason) > LONGEST_TEXT:
        raise ConfigurationError("say why, in up to 500 characters", code="organisation.no_reason")
    with hq.transaction() as connection:
        client_id = client_row(connection, client)["id"]
        made = store.add(connection, client_id, kind.value, keys[0], keys[1] if keys[1:] else None, reason, str(actor))
        code = Code.ORGANISATION_JOIN if kind is DecisionKind.JOIN else Code.ORGANISATION_PART
        note_action(connection, actor, code, made.id, client_id=client_id, after={"aliases": keys, "reason": reason})
        return made
