"""Callbacks as an operator sees them: list, look inside, replay the dead ones.

What belongs here: the service behind `enrich callbacks`, as plain functions. Receiving is the receiver's, applying a
callback is the engine's; a replay only puts the stored bytes back in line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.bodies import BodyEncodingError, plain_body
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.statuses import InboxStatus
from enrichment_assets.domain.visible import visible
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.inbox.review import (
    CallbackSummary,
    find_in_inbox,
    list_inbox,
    read_inbox_body,
    reopen_dead,
)
from enrichment_assets.store.states.batch_states import find_batch_id


def rendered(body: bytes, headers: Mapping[str, str], limit: int) -> tuple[str, str]:
    """(`text` or `hex`, at most `limit` bytes of a kept body for a terminal), content encoding undone if possible.

    Control characters are shown as escapes: what a stranger sent must not drive the reader's terminal.
    """
    try:
        plain = plain_body(body, headers.get("content-encoding"))
    except BodyEncodingError:
        plain = body
    shown, more = plain[:limit], len(plain) - limit
    ending = f" ... and {more} more bytes" if more > 0 else ""
    try:  # a character cut in two at the limit is no reason for hex
        text = shown.decode() if more <= 0 else shown.decode(errors="ignore") if _is_utf8(plain) else None
    except UnicodeDecodeError:
        text = None
    if text is None or "\x00" in text:
        return "hex", shown.hex(" ", 2) + ending
    return "text", visible(text) + ending


@dataclass(frozen=True, slots=True)
class CallbackDetail:
    """One callback whole. `body` is raw, as it came over the wire."""

    summary: CallbackSummary
    headers: dict[str, str]
    body: bytes

    def rendered_body(self, limit: int = 4000) -> tuple[str, str]:
        """(`text` or `hex`, at most `limit` bytes of the body for a terminal); see `rendered`."""
        return rendered(self.body, self.headers, limit)


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What a replay put back: callbacks, and how many in each batch."""

    inbox_ids: list[int]
    batches: dict[str, int]


def list_callbacks(
    hq: Hq,
    *,
    dead: bool = False,
    batch: str | None = None,
    client: str | None = None,
    limit: int = 100,
) -> list[CallbackSummary]:
    """The newest callbacks first. Raises `NotFoundError` for a batch or client that does not exist."""
    with hq.transaction() as connection:
        _require_batch(connection, batch)
        if client is not None:
            client_row(connection, client, archived=True)
        status = InboxStatus.DEAD if dead else None
        return list_inbox(connection, status=status, batch_key=batch, client=client, limit=limit)


def show_callback(hq: Hq, inbox_id: int) -> CallbackDetail:
    """One callback with its headers and raw body. Raises `NotFoundError`."""
    with hq.transaction() as connection:
        summary = _find(connection, inbox_id)
        headers, body = read_inbox_body(connection, inbox_id)
        return CallbackDetail(summary, headers, body)


def replay_callbacks(hq: Hq, *, actor: Actor, inbox_id: int | None = None, batch: str | None = None) -> ReplayReport:
    """Put one dead callback, or all of a batch, back in line; the batch's next run applies them from the stored bytes.

    Raises `NotFoundError` for an unknown callback or batch, `ConfigurationError` for a callback that is not dead or
    when not exactly one of the two is named.
    """
    if (inbox_id is None) == (batch is None):
        raise ConfigurationError("name either one callback or a batch to replay", code="callback.one_or_batch")
    with hq.transaction() as connection:
        _require_batch(connection, batch)
        if inbox_id is not None and (found := _find(connection, inbox_id)).status != InboxStatus.DEAD:
            raise ConfigurationError(
                f"callback {inbox_id} is {found.status}; only dead callbacks can be replayed", code="callback.not_dead"
            )
        reopened = reopen_dead(connection, inbox_id=inbox_id, batch_key=batch)
        if reopened:
            _note(connection, actor, batch or reopened[0][1], [i for i, _ in reopened])
    return ReplayReport([i for i, _ in reopened], dict(Counter(key for _, key in reopened)))


def _note(connection: Connection, actor: Actor, batch_key: str, inbox_ids: list[int]) -> None:
    batch = get_batch(connection, batch_key)
    assert batch is not None  # noqa: S101
    note_action(
        connection,
        actor,
        Code.CALLBACK_REPLAY,
        inbox_ids[0] if len(inbox_ids) == 1 else batch_key,
        client_id=batch["client_id"],
        batch_id=batch["id"],
        before={"status": InboxStatus.DEAD.value},
        after={"status": InboxStatus.NEW.value, "callbacks": inbox_ids},
    )


def _find(connection: Connection, inbox_id: int) -> CallbackSummary:
    if (found := find_in_inbox(connection, inbox_id)) is None:
        raise NotFoundError(f"there is no callback {inbox_id}", Hint(Action.LIST_CALLBACKS), code="callback.not_found")
    return found


def _require_batch(connection: Connection, batch: str | None) -> None:
    """Say that a named batch does not exist, rather than that it has no callbacks."""
    if batch is not None and find_batch_id(connection, batch) is None:
        raise no_such_batch(connection, batch)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
