"""Making a try: its rows are laid out as a batch of their own, its calls go the way of every call.

The row of the ledger is written before the request leaves, money is reserved, limits are kept, the raw answer is stored
before it is read. Whatever ends this process, the try is there, and looking at it again goes on with it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.statuses import Status
from enrichment_assets.domain.suggestions import did_you_mean
from enrichment_assets.engine.calls.past_questions import remember_questions
from enrichment_assets.engine.run.advance import LINGER_SECONDS, EngineOptions, Interrupted
from enrichment_assets.providers import build_providers
from enrichment_assets.services.batches.advancing import advance_batch, load_batch
from enrichment_assets.services.batches.loaded_items import load
from enrichment_assets.services.operations.rereading import prepared_step
from enrichment_assets.services.tries.drafting import Draft, Wanted, draft_try
from enrichment_assets.services.tries.report import TryReport, report_of, report_of_draft
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.batches import launching, tries
from enrichment_assets.store.batches.tries import TriedState
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.states.stops import stops_of

USUAL_WAIT = 60.0
"""Seconds that somebody waits for an answer that does not come at once."""

_LOOK_SECONDS = 0.5
_KEYS_TRIED = 20

Waiting = Callable[[float], None]
"""Told how many seconds of waiting are left."""


def plan_try(hq: Hq, settings: Settings, wanted: Wanted) -> TryReport:
    """What a try would send, and what is in the way. Writes nothing and calls nobody. Raises as `draft_try`."""
    draft = draft_try(hq, settings, wanted)
    with hq.transaction() as connection:
        return report_of_draft(connection, settings, draft)


def make_try(
    hq: Hq,
    settings: Settings,
    wanted: Wanted,
    *,
    actor: Actor,
    wait: float = USUAL_WAIT,
    on_wait: Waiting | None = None,
    stop: threading.Event | None = None,
) -> TryReport:
    """Lay a try out, make its calls, and wait for what does not come at once.

    Args:
        hq: The databases.
        settings: The installation.
        wanted: What is tried, on which rows.
        actor: Who tries it.
        wait: Seconds to wait for callbacks, polls and repetitions.
        on_wait: Told now and then how long is left.
        stop: When set, calls under way end and nothing more is begun.

    Raises:
        NotFoundError, ConfigurationError: As `draft_try`; also where a key or an address is missing.
        InfrastructureError: The database failed; the try can be looked at again.
    """
    draft = draft_try(hq, settings, wanted)
    if draft.problems:
        raise ConfigurationError(
            f"workflow {draft.slug} cannot be called: {'; '.join(draft.problems)}", code="try.not_ready"
        )
    if draft.source and not wanted.fresh:
        _remember(hq, settings, draft)
    with hq.transaction() as connection:
        key = _lay_out(connection, draft, actor)
    return _go_on(hq, settings, key, draft.slug, wait, on_wait, stop or threading.Event())


def look_at_try(
    hq: Hq,
    settings: Settings,
    key: str,
    *,
    wait: float = 0.0,
    on_wait: Waiting | None = None,
    stop: threading.Event | None = None,
) -> TryReport:
    """A try as it stands: what came meanwhile is taken in, and what is due is asked again.

    Raises:
        NotFoundError: There is no such try.
        ConfigurationError: It was made for the simulator and this process calls real providers, or the reverse.
    """
    with hq.transaction() as connection:
        found = tries.find_try(connection, key)
        if found is None:
            newest = tries.newest_tries(connection, None, None, 100)
            raise NotFoundError(f"there is no try {key!r}{did_you_mean(key, newest)}", code="try.not_found")
    return _go_on(hq, settings, key, found["pipeline_slug"], wait, on_wait, stop or threading.Event())


def _remember(hq: Hq, settings: Settings, draft: Draft) -> None:
    """Have what the rows' own batch asked about them written down, so that its answers are found."""
    asked = remember_questions(
        hq.url,
        load_batch(hq, draft.batch.batch_key),
        build_providers(settings.sandbox_url),
        settings.sandbox_url,
        only=draft.source,
    )
    asyncio.run(asked)


def _lay_out(connection: Connection, draft: Draft, actor: Actor) -> str:
    """The batch of the try with its rows and states; its key. The caller commits."""
    key, batch_id = _inserted(connection, draft)
    position = draft.step.blueprint.position
    if draft.given is not None:
        tries.insert_given(connection, draft.given.of_batch(draft.batch.client_id, batch_id))
    else:
        tries.copy_rows(connection, batch_id, draft.source)
        tries.inherit_answers(connection, batch_id, draft.source, position)
    tries.lay_out_states(connection, batch_id, position, draft.slug)
    said = {"workflow": draft.slug, "items": len(draft.items)}
    note_action(connection, actor, Code.BATCH_TRY, key, client_id=draft.batch.client_id, batch_id=batch_id, after=said)
    return key


def _inserted(connection: Connection, draft: Draft) -> tuple[str, int]:
    prefix = f"{draft.batch.client_slug}-try-{draft.slug}"[:180]
    for _ in range(_KEYS_TRIED):
        key = f"{prefix}-{launching.next_batch_number(connection, prefix)}"
        batch_id = tries.insert_try(connection, key, draft.batch.client_id, draft.batch.blueprint)
        if batch_id is not None:
            return key, batch_id
    raise ConfigurationError("other tries took the keys meanwhile: try again", code="try.key_taken_meanwhile")


def _go_on(
    hq: Hq, settings: Settings, key: str, slug: str, wait: float, on_wait: Waiting | None, stop: threading.Event
) -> TryReport:
    """Advance the try until nothing of it is open, or the time is over; then say what came of it."""
    until = time.monotonic() + wait
    batch = load_batch(hq, key)
    while True:
        left = max(until - time.monotonic(), 0.0)
        states = _states(hq, batch.batch_id, slug)
        if any(state.is_due for state in states):
            _advance(hq, settings, key, slug, left, stop)
            states = _states(hq, batch.batch_id, slug)
        if stop.is_set() or not _awaits(hq, batch.batch_id, slug, states, until - time.monotonic()):
            break
        if on_wait is not None:
            on_wait(max(until - time.monotonic(), 0.0))
        stop.wait(_LOOK_SECONDS)
    step = prepared_step(settings.sandbox_url, batch.blueprint, slug)
    items = load(hq, [state.item_id for state in states], batch.blueprint)
    with hq.transaction() as connection:
        return report_of(connection, settings, batch, step, items, states)


def _advance(hq: Hq, settings: Settings, key: str, slug: str, linger: float, stop: threading.Event) -> None:
    options = EngineOptions(
        receiver_url=settings.receiver_url,
        sandbox_url=settings.sandbox_url,
        linger_seconds=min(linger, LINGER_SECONDS),
    )
    with suppress(Interrupted):  # what is left is said by the report
        advance_batch(hq, settings, key, build_providers(settings.sandbox_url), {slug}, stop=stop, options=options)


def _states(hq: Hq, batch_id: int, slug: str) -> list[TriedState]:
    with hq.transaction() as connection:
        return tries.tried_states(connection, batch_id, slug)


def _awaits(hq: Hq, batch_id: int, slug: str, states: list[TriedState], left: float) -> bool:
    """Whether something may still come within the time that is left."""
    waiting = [state for state in states if not Status(state.status).settled]
    if not waiting or left <= 0:
        return False
    with hq.transaction() as connection:
        stop = stops_of(connection, batch_id).get(slug)
    return stop is None or any(state.status == Status.IN_PROGRESS for state in waiting)
