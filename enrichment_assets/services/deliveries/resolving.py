"""Deliveries as people look at them, and what they decide: it was made, it was not, again, or nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.deliveries import DeliveryState
from enrichment_assets.domain.delivery_keys import key_of_delivery_call
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.operator_actions import LONGEST_TEXT, Code
from enrichment_assets.domain.statuses import Status
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.database import Connection
from enrichment_assets.store.deliveries import ledger, resolving
from enrichment_assets.store.deliveries.ledger import DeliveryCall, DeliveryRow
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.money.budget_changes import settle_by_hand
from enrichment_assets.store.states.reopening import reopen_states
from enrichment_assets.store.states.transitions import StepFacts

MOST_CALLS = 50
"""Calls about one delivery that are shown, the last ones."""


class Decision(StrEnum):
    """What a person says of a delivery."""

    DELIVERED = "delivered"
    """The call of unknown fate was done; also one of which it was said that it was not, and that was not made again."""
    NOT_DELIVERED = "not_delivered"
    """It was not: it is made again."""
    AGAIN = "again"
    """What was stopped or taken away there may be written, or made, again."""


@dataclass(frozen=True, slots=True)
class DeliveryDetail:
    """One delivery with the calls about it."""

    delivery: DeliveryRow
    calls: Sequence[DeliveryCall]


def list_deliveries(
    hq: Hq,
    *,
    client: str | None = None,
    batch: str | None = None,
    destination: str | None = None,
    states: Sequence[DeliveryState] = (),
    before: int | None = None,
    limit: int = 100,
) -> list[DeliveryRow]:
    """The newest deliveries; `before`: older ones than that of this number.

    Raises `NotFoundError` for a client that there is not.
    """
    with hq.transaction() as connection:
        client_id = None if client is None else client_row(connection, client)["id"]
        return ledger.listed(
            connection,
            client_id=client_id,
            batch_key=batch,
            destination=destination,
            states=[state.value for state in states],
            before=before,
            limit=limit,
        )


def get_delivery(hq: Hq, delivery_id: int) -> DeliveryDetail:
    """One delivery with the calls about it; raises `NotFoundError`."""
    with hq.transaction() as connection:
        row = _row(connection, delivery_id)
        first = max(row.generation - MOST_CALLS, 0)
        keys = [key_of_delivery_call(row.key, number) for number in range(first, row.generation + 1)]
        return DeliveryDetail(row, ledger.calls_of(connection, row.client_id, keys))


def stop_delivery(hq: Hq, delivery_id: int, reason: str, *, actor: Actor) -> DeliveryRow:
    """Let nothing more go to a destination for a lead, from whichever batch.

    Raises:
        NotFoundError: There is no such delivery.
        ConfigurationError: No reason is given, or a call about it is under way.
    """
    why = _reason(reason)
    with hq.transaction() as connection:
        row = _row(connection, delivery_id, lock=True)
        if row.state == DeliveryState.STOPPED:
            return row
        if not resolving.stop(connection, delivery_id, f"{why} ({actor})"):
            raise ConfigurationError(
                f"a call about delivery {delivery_id} is under way, or nobody knows of one: it is stopped after that",
                Hint(Action.RESOLVE_DELIVERY, {"delivery": str(delivery_id)}),
                code="delivery.under_way",
            )
        _note(connection, actor, Code.DELIVERY_STOP, row, {"state": row.state}, {"state": "stopped", "reason": why})
        return _row(connection, delivery_id)


def resolve_delivery(
    hq: Hq, delivery_id: int, decision: Decision, *, actor: Actor, external_id: str | None = None
) -> DeliveryRow:
    """Say what nobody but a person can know of a delivery.

    Args:
        hq: The databases.
        delivery_id: The delivery.
        decision: What is said of it.
        actor: Who says so.
        external_id: Its id there, with `DELIVERED`: without it, it cannot be written again.

    Raises:
        NotFoundError: There is no such delivery.
        ConfigurationError: It does not stand where that could be said of it.
    """
    if external_id is not None and decision is not Decision.DELIVERED:
        raise ConfigurationError("an id there goes with what was delivered", code="delivery.id_without_delivery")
    said = f"{decision.value.replace('_', ' ')}, says {actor}"
    with hq.transaction() as connection:
        row = _row(connection, delivery_id, lock=True)
        if decision is Decision.AGAIN:
            done = resolving.let_go_again(connection, delivery_id, said)
        elif decision is Decision.DELIVERED:
            done = _delivered(connection, row, external_id, said)
        else:
            done = _not_delivered(connection, row, said)
        if not done:
            wanted = "stopped or deleted" if decision is Decision.AGAIN else "unknown"
            raise ConfigurationError(
                f"delivery {delivery_id} is {row.state}: this is said of one that is {wanted}",
                code="delivery.another_state",
            )
        after = {"decision": decision.value, "external_id": external_id}
        _note(connection, actor, Code.DELIVERY_RESOLVE, row, {"state": row.state}, after)
        return _row(connection, delivery_id)


def _delivered(connection: Connection, row: DeliveryRow, external_id: str | None, said: str) -> bool:
    closed = resolving.say_delivered(connection, row.id, external_id, said)
    if closed is None:
        return False
    _settle(connection, row, closed, booked=True)
    return True


def _not_delivered(connection: Connection, row: DeliveryRow, said: str) -> bool:
    opened = resolving.say_not_delivered(connection, row.id, said)
    if opened is None:
        return False
    slug = str(opened["workflow_slug"])
    facts = StepFacts({slug: str(opened["provider"])}, {slug: 0}, ())
    for status in (Status.AMBIGUOUS, Status.PENDING):
        reopen_states(connection, [(int(str(opened["item_id"])), slug)], status, facts, said)
    _settle(connection, row, opened, booked=False)
    resolving.wake(connection, int(str(opened["batch_id"])), slug)
    return True


def _settle(connection: Connection, row: DeliveryRow, call: dict[str, Any], *, booked: bool) -> None:
    price = Decimal(call["estimated_cost"])
    if price:
        paid, reserved = price if booked else Decimal(0), price if call.get("is_reserved", True) else Decimal(0)
        settle_by_hand(connection, row.client_id, call["batch_id"], [(call["workflow_slug"], reserved, paid)])


def _row(connection: Connection, delivery_id: int, *, lock: bool = False) -> DeliveryRow:
    row = ledger.found(connection, delivery_id, lock=lock)
    if row is None:
        raise NotFoundError(
            f"there is no delivery {delivery_id}", Hint(Action.LIST_DELIVERIES), code="delivery.no_such_row"
        )
    return row


def _note(
    connection: Connection, actor: Actor, code: Code, row: DeliveryRow, before: dict[str, Any], after: dict[str, Any]
) -> None:
    note_action(
        connection,
        actor,
        code,
        f"{row.destination}/{row.id}",
        client_id=row.client_id,
        batch_id=row.batch_id,
        before=before,
        after=after,
    )


def _reason(text: str) -> str:
    if not text.strip() or len(text) > LONGEST_TEXT:
        raise ConfigurationError(
            f"say why, in at most {LONGEST_TEXT} characters: it is kept with the delivery", code="delivery.no_reason"
        )
    return text.strip()
