"""What the laws come to for answers that are reused; otherwise as `checks.py`."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from enrichment_assets.engine.run import EngineOptions, advance
from enrichment_assets.resources.providers import build_providers
from enrichment_assets.services.batches import load_batch
from enrichment_assets.store import claims
from enrichment_assets.store.database import connect_async
from enrichment_assets.store.ledger import Applied
from enrichment_assets.store.reuse import Reused, ReuseVerdict, take
from tests.engine.world import RECEIVER, Launched, World, people, step
from tests.laws.checks import first_item, start


def a_question_is_asked_once(world: World) -> None:
    """Whoever asks it: rows of one batch, a later run of it, another batch of the client."""
    batch = world.launch(people(2) * 5, _find())
    batch.run()
    batch.change(
        "update workflow_states set status = 'PENDING' where item_id not in (select item_id from provider_calls)"
    )
    batch.run()
    world.launch(people(2) * 2, _find()).run()
    assert batch.asked("find") == 2, "the same was asked, and paid for, again"


def a_call_of_unknown_fate_is_not_replaced_by_a_reused_answer(world: World) -> None:
    """A call that may have been paid for keeps its fate, also where an answer to its question is at hand."""
    old, batch = _two_batches(world)
    batch.change("update provider_calls set state = 'ambiguous', call_key = 'key' where id = %s", old.calls()[0]["id"])
    verdict = _take(old, batch)
    assert verdict.call_id is None, "an unknown fate was covered up"
    assert old.calls()[0]["state"] == "ambiguous"


def a_stale_fence_reuses_nothing(world: World) -> None:
    """A reuse compares the fence like every write."""
    old, batch = _two_batches(world)
    verdict = _take(old, batch, late=1)
    assert not verdict.held, "a stale reuse was stored"
    assert batch.state("find")["status"] == "PENDING"


def an_answer_is_never_reused_across_clients(world: World) -> None:
    """The same question of two clients is asked twice; each has its own answer."""
    world.launch(people(2), _find(), client="acme", key="mine").run()
    theirs = world.launch(people(2), _find(), client="globex", key="theirs")
    theirs.run()
    assert theirs.asked("find") == 4, "a client's paid answer went to another client"
    assert [call["reused_from"] for call in theirs.calls()] == [None, None]


def simulated_answers_do_not_reach_a_batch_for_real_providers(world: World) -> None:
    """Two batches that differ in nothing but what they were launched for ask both."""
    for batch, simulated in (((world.launch(people(1), _find())), "true"), (world.launch(people(1), _find()), "false")):
        batch.change(
            "update batches set blueprint = jsonb_set(blueprint, '{simulated}', %s::jsonb) where id = %s",
            simulated,
            batch.batch_id,
        )
        # The service refuses a batch for real providers beside a sandbox: the engine is asked without it.
        options = EngineOptions(RECEIVER, batch.sandbox.url, linger_seconds=1.0)
        loaded = load_batch(batch.settings, batch.key)
        asyncio.run(advance(batch.settings.hq_database_url or "", loaded, build_providers(batch.sandbox.url), options))
    assert batch.asked("find") == 2, "a made-up answer was taken for a real one"


def a_reused_answer_says_when_it_was_fetched(world: World) -> None:
    """The time of the answer is that of the call that fetched it, however often it is reused."""
    first = world.launch(people(1), _find())
    first.run()
    first.change("update provider_calls set received_at = now() - interval '2 hours'")
    second = world.launch(people(1), _find())
    second.run()
    assert second.results()[0]["fetched_at"] == first.calls()[0]["received_at"], "an old answer looks young"


def _find(**fields: Any) -> Any:
    return step("find", **{"reuse_for": "1d", **fields})


def _two_batches(world: World) -> tuple[Launched, Launched]:
    old = world.launch(people(1), _find())
    old.run()
    return old, world.launch(people(1), _find())


def _take(old: Launched, batch: Launched, late: int = 0) -> ReuseVerdict:
    """Reuse the old batch's answer for the other's item, under a fence that is `late` claims old."""

    async def write() -> ReuseVerdict:
        async with await connect_async(batch.settings.hq_database_url or "", autocommit=True) as connection:
            scope = await start(connection, batch)
            item, (origin,) = first_item(batch), old.calls()
            ((_, fence),) = await claims.claim(connection, batch.batch_id, scope.runner_id, [item])
            applied = Applied(
                item, fence - late, "find", "COMPLETED", "http", outcome="found", own_result=True, payload="{}"
            )
            record = Reused(applied, "key", f"item:{item}", "find", origin["id"], origin["received_at"], Decimal(0))
            (verdict,) = await (await take(connection, scope, [record])).result()
            return verdict

    return asyncio.run(write())
