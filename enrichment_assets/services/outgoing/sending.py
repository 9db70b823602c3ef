"""Sending what clients' servers are to be told: at least once, each server for itself, within bounds.

A round of a webhook: claim a few messages, send them side by side, note what became of them. Rounds of different
webhooks go side by side, and none waits for another: a server that is slow holds up its own messages alone. One whose
messages do not arrive is tried with one message at a time until one does.

Promised of the order: messages leave in the order of their events, a few side by side; one that is sent again comes
later than it would have. `event_id` grows with time, for who has to know which of two is newer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

import aiohttp
from aiohttp.abc import AbstractResolver

from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.outgoing import (
    DISABLED_AFTER,
    LEAD_TYPES,
    LONGEST_REST,
    TEST_TYPE,
    Event,
    MessageState,
    body_of,
    delay_after,
    signed_headers,
)
from enrichment_assets.services.outgoing.registering import secret_of
from enrichment_assets.services.outgoing.withholding import WithheldForNow, Withholding
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.outgoing import messages, webhooks
from enrichment_assets.store.outgoing.messages import ClaimedMessage, Fate
from enrichment_assets.store.outgoing.webhooks import Webhook
from enrichment_assets.wire.outgoing import Reach, Sent, open_session, post

AT_ONCE = 8
"""Messages of one webhook that are under way at a time."""

GONE = 410
"""HTTP status by which a receiver says that it will never take messages again (Standard Webhooks)."""

_NOT_NOW = 60.0
"""Seconds after which a message is looked at again that may not be sent now for a reason of ours."""

SENSOR = Actor(ActorKind.SENSOR, "webhooks")


@dataclass(slots=True)
class Delivery:
    """What a time of sending came to.

    Attributes:
        events: Events that messages were made of.
        arrived: Messages that arrived.
        failed: Attempts that did not.
        disabled: Names of webhooks that were disabled.
        troubles: Webhook -> why nothing can be sent to it for a reason that is ours.
    """

    events: int = 0
    arrived: int = 0
    failed: int = 0
    disabled: list[str] = field(default_factory=list)
    troubles: dict[str, str] = field(default_factory=dict)


def deliver(hq: Hq, settings: Settings, seconds: float, resolver: AbstractResolver | None = None) -> Delivery:
    """Lay out new events and send what is due, for some seconds at most and one exchange more.

    Args:
        hq: HQ and workspace.
        settings: Where messages may go, and the pepper of those who said no.
        seconds: After which no further message is begun.
        resolver: Who resolves names; default: the system.
    """
    until = time.monotonic() + seconds
    delivery = Delivery()
    with hq.transaction() as connection:
        work = messages.look(connection)
    while work.is_new and time.monotonic() < until:
        with hq.transaction() as connection:
            events = messages.lay_out(connection)
        delivery.events += events
        if not events:
            break
    if work.is_new or work.is_due:
        asyncio.run(_Sending(hq, settings, until, delivery).send(resolver))
    return delivery


@dataclass(slots=True)
class _Sending:
    """One time of sending."""

    hq: Hq
    settings: Settings
    until: float
    delivery: Delivery

    async def send(self, resolver: AbstractResolver | None) -> None:
        """Serve every webhook that has something due, side by side."""
        reach = Reach.of(self.settings)
        due = await asyncio.to_thread(self._due)
        withholding = Withholding(self.hq, self.settings)
        async with open_session(reach, resolver) as session:
            await asyncio.gather(*(self._serve(session, reach, withholding, webhook) for webhook in due))

    def _due(self) -> list[Webhook]:
        with self.hq.transaction() as connection:
            return messages.due_webhooks(connection)

    async def _serve(
        self, session: aiohttp.ClientSession, reach: Reach, withholding: Withholding, webhook: Webhook
    ) -> None:
        """Round after round, as long as messages arrive and there is time."""
        try:
            secrets = secrets_of(webhook)
        except EnrichError as error:
            self.delivery.troubles[webhook.name] = str(error)
            await asyncio.to_thread(self._note_trouble, webhook, str(error))
            return
        at_once = 1 if webhook.failing_since is not None else AT_ONCE
        while time.monotonic() < self.until:
            claimed = await asyncio.to_thread(self._claim, webhook, at_once)
            if not claimed:
                return

            left = await asyncio.to_thread(_left, withholding, webhook, claimed)
            fates = await asyncio.gather(
                *(_sent(session, reach, webhook, message, left[message.id], secrets) for message in claimed)
            )
            if not await asyncio.to_thread(self._note, webhook, fates):
                return
            at_once = AT_ONCE

    def _claim(self, webhook: Webhook, limit: int) -> list[ClaimedMessage]:
        with self.hq.transaction() as connection:
            return messages.claim(connection, webhook.id, limit)

    def _note_trouble(self, webhook: Webhook, error: str) -> None:
        with self.hq.transaction() as connection:
            webhooks.note_trouble(connection, webhook.id, error)

    def _note(self, webhook: Webhook, fates: Sequence[tuple[Fate, Sent | None]]) -> bool:
        """Write down what became of a round; True: go on with the next one."""
        sent = [one for _, one in fates if one is not None]
        errors = [one.error for one in sent if one.error is not None]
        arrived = len(sent) - len(errors)
        rests = [min(one.retry_after, LONGEST_REST) for one in sent if one.retry_after]
        is_gone = any(one.status == GONE for one in sent)
        with self.hq.transaction() as connection:
            messages.note(connection, [fate for fate, _ in fates])
            is_over = webhooks.note_round(
                connection,
                webhook.id,
                arrived=arrived > 0,
                error=errors[0] if errors else None,
                rest=max(rests, default=None),
            )
            if is_gone or is_over:
                days = DISABLED_AFTER.days
                reason = "the receiver is gone (HTTP 410)" if is_gone else f"no message arrived for {days} days"
                webhooks.disable(connection, webhook.id, reason)
                note_action(
                    connection,
                    SENSOR,
                    Code.WEBHOOK_DISABLE,
                    webhook.name,
                    client_id=webhook.client_id,
                    after={"reason": reason},
                )
                self.delivery.disabled.append(webhook.name)
        self.delivery.arrived += arrived
        self.delivery.failed += len(errors)
        return not (is_gone or is_over or rests) and (arrived > 0 or not sent)


def _left(
    withholding: Withholding, webhook: Webhook, claimed: Sequence[ClaimedMessage]
) -> dict[int, list[Event] | WithheldForNow]:
    """Message -> what of it may be told now."""
    leads = [event for message in claimed if message.type in LEAD_TYPES for event in message.events]
    refused: set[int] = set()
    unknown: WithheldForNow | None = None
    try:
        refused = withholding.suppressed(webhook.client_id, leads) if leads else refused
    except WithheldForNow as error:
        unknown = error
    return {
        message.id: unknown
        if unknown is not None and message.type in LEAD_TYPES
        else [
            Event(event.id, message.type, event.occurred_at, event.data)
            for event in message.events
            if event.data is not None and event.id not in refused
        ]
        for message in claimed
    }


async def _sent(
    session: aiohttp.ClientSession,
    reach: Reach,
    webhook: Webhook,
    message: ClaimedMessage,
    events: list[Event] | WithheldForNow,
    secrets: Sequence[str],
) -> tuple[Fate, Sent | None]:
    """Send one message, unless nothing is left of it that may be told."""
    if isinstance(events, WithheldForNow):
        return Fate(message.id, MessageState.WAITING, was_sent=False, again_in=_NOT_NOW, error=str(events)), None
    if not events:
        error = "nothing is left to tell: it was taken out, or whoever it was about is suppressed"
        return Fate(message.id, MessageState.WITHHELD, was_sent=False, error=error), None
    body = body_of(webhook.client, events)
    headers = signed_headers(f"msg_{message.message_id.hex}", datetime.now(UTC), body, secrets)
    sent = await post(session, reach, webhook.url, headers, body)
    return _fate(message, sent), sent


def _fate(message: ClaimedMessage, sent: Sent) -> Fate:
    """Where a message stands after an attempt."""
    if sent.arrived:
        return Fate(message.id, MessageState.ARRIVED, status=sent.status)
    delay = delay_after(message.attempts + 1)
    if delay is None:
        return Fate(message.id, MessageState.GIVEN_UP, status=sent.status, error=sent.error)
    again_in = max(delay, min(sent.retry_after or 0.0, LONGEST_REST))
    return Fate(message.id, MessageState.WAITING, again_in=again_in, status=sent.status, error=sent.error)


def secrets_of(webhook: Webhook) -> list[str]:
    """The secrets that sign: the current one, and the one before while it is replaced. Raises as `secret_of`."""
    current = secret_of(webhook.secret_variable)
    if webhook.previous_variable is None:
        return [current]
    try:
        return [current, secret_of(webhook.previous_variable)]
    except EnrichError:  # whoever took it away is done with it
        return [current]


def send_test(settings: Settings, webhook: Webhook, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Sent:
    """Send a message of type `webhook.test` now, once, and say what came of it. Nothing is kept of it."""
    moment = clock()
    body = body_of(webhook.client, [Event(0, TEST_TYPE, moment, {"webhook": webhook.name})])
    headers = signed_headers(f"msg_{uuid4().hex}", moment, body, secrets_of(webhook))
    reach = Reach.of(settings)

    async def once() -> Sent:
        async with open_session(reach) as session:
            return await post(session, reach, webhook.url, headers, body)

    return asyncio.run(once())
