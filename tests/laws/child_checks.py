"""What the laws come to for child items; as in `checks.py`, functions that raise AssertionError where one is broken."""

from __future__ import annotations

import asyncio

from enrichment_assets.domain.emission import Parent, emission_of
from enrichment_assets.domain.emits import Emits
from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.planning import child_route
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.commit.group_writer import GroupWriter
from enrichment_assets.store.calls.ledger import Applied
from enrichment_assets.store.database import connect_async
from enrichment_assets.store.runs import claims
from tests.harness.batches import BatchHarness, people, start_runner, step


def an_origin_has_one_child_however_often_it_is_emitted(harness: BatchHarness) -> None:
    """Two rows emit one person, and their answers are applied again: one child, asked about once."""
    batch = harness.launch(people(2), _search(), step("later"))
    for _ in range(2):
        try:
            batch.run()
        except InfrastructureError as error:
            raise AssertionError(f"an emitted person that is there already ended the run: {error}") from error
        batch.change(
            "update workflow_states set status = 'PENDING' where workflow_slug = 'search' and status = 'COMPLETED'"
        )
        batch.change("update provider_calls set state = 'received' where workflow_slug = 'search'")
    found = batch.rows("select origin_key from batch_items where parent_item_id is not null")
    assert [row["origin_key"] for row in found] == ["search:email:ann@x.example"]
    assert batch.asked("later") == 1


def every_child_ends_in_every_step(harness: BatchHarness) -> None:
    """Items = rows + children, and each child has a state that ends in each step."""
    batch = harness.launch(people(2), _search(), step("later"))
    batch.run(linger=0.1)
    assert len(batch.rows("select 1 from batch_items")) == 3
    assert len(batch.states()) == 3 * 2
    assert set(batch.statuses()) <= {"COMPLETED", "SKIPPED"}, "a child was left behind"
    assert batch.asked("later") == 1


def a_stale_fence_emits_nothing(harness: BatchHarness) -> None:
    """An answer that comes too late to be applied makes no children either."""
    batch = harness.launch(people(1), _search(), step("later"))
    item = batch.first_item()
    (row,) = batch.rows("select blueprint from batches")
    blueprint = Blueprint.model_validate(row["blueprint"])
    emission = emission_of(
        [{"first_name": "Ann"}],
        Parent(item, None, {}),
        workflow="search",
        emits=Emits(items="json.people"),
        key_of=lambda _: None,
        route=child_route(blueprint, "search"),
        company_rules=blueprint.company_identity,
    )

    async def write() -> None:
        async with await connect_async(batch.settings.hq_database_url or "", autocommit=True) as connection:
            scope = await start_runner(connection, batch)
            ((_, fence),) = await claims.claim(connection, batch.batch_id, scope.runner_id, [item])
            writer = GroupWriter(connection, scope)
            writing = asyncio.create_task(writer.run())
            try:
                stale = Applied(item, fence - 1, "search", "COMPLETED", "http", outcome="found", emission=emission)
                assert await writer.apply(stale) == (False, None)
            finally:
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)

    asyncio.run(write())
    assert len(batch.rows("select 1 from batch_items")) == 1, "an item came from an answer that was not applied"


def _search() -> WorkflowDefinition:
    """Every row emits the same person."""
    request = {"url": "/echo", "headers": {"x-api-key": "search"}, "body": {"people": [{"email": "ann@x.example"}]}}
    found = {"response": {"found_if": "json.people"}, "provides": {}, "price": {}}
    return step("search", request=request, emits="json.people", **found)
