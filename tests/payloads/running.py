"""Takes every payload through the platform: one batch for all files with the same steps, then one extraction each."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.engine.run.advance import EngineOptions
from enrichment_assets.providers import build_providers
from enrichment_assets.services.batches.advancing import advance_batch
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.batches.launching import launch
from enrichment_assets.services.catalog.clients import set_client_config
from enrichment_assets.services.catalog.configuration import add_client, add_pipeline, add_workflow
from enrichment_assets.services.catalog.profiles import set_profile
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect, connect_async
from enrichment_assets.store.inbox.callbacks import IncomingCallback, Receipt, prepare_session, store_callbacks
from enrichment_assets.warehouse import (
    build_analytics,
    build_models,
    load_project,
    open_warehouse,
    publish_batch_sources,
    publish_marts,
    reconcile,
    run_tests,
)
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.payloads.payload import OWN, WHOSE, Payload, SentAnswer
from tests.payloads.server import PayloadServer

CLIENT = "payloads"
RECEIVER = "http://127.0.0.1:9"
"""Nobody listens there: callbacks are put into the inbox by the receiver's own statement."""


class Ran:
    """What came of all payloads: the warehouse, where each file's row is in it, and what does not add up."""

    def __init__(self, warehouse: duckdb.DuckDBPyConnection, problems: Sequence[str]) -> None:
        self.warehouse = warehouse
        self.problems = list(problems)

    def rows(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        """Rows of a query as dictionaries."""
        found = self.warehouse.execute(query, parameters)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def item(self, payload: Payload) -> tuple[str, int]:
        """Batch and item id of the row of one file."""
        rows = self.rows(
            f"select batch_key, item_id from hq.batch_items where original_data ->> '{WHOSE}' = ?", payload.slug
        )
        assert len(rows) == 1, f"{payload.name}: {len(rows)} items"
        return rows[0]["batch_key"], rows[0]["item_id"]


def run_payloads(settings: Settings, payloads: Sequence[Payload], folder: Path) -> Ran:
    """Run them all and build every table."""
    add_client(hq_of(settings), CLIENT, "Payloads", actor=TESTER)
    offer = {"ideal_customer": "Ports that plan by hand.", "offer": "Planning of berths."}
    set_profile(hq_of(settings), CLIENT, values=offer, actor=TESTER)
    with PayloadServer(payloads) as server:
        settings = replace(settings, sandbox_url=server.url, receiver_url=RECEIVER)
        groups = [(steps, list(group)) for steps, group in itertools.groupby(_by_steps(payloads), lambda p: p.steps)]
        _address_workflows(settings, server, payloads)
        keys = [
            _run_group(settings, server, steps, group, folder / f"{number}.csv")
            for number, (steps, group) in enumerate(groups)
        ]
        problems = list(server.problems)
    for key in keys:
        publish_batch_sources(hq_of(settings), settings, key)
        build_models(settings, key)
        publish_marts(hq_of(settings), settings, key)
    build_analytics(settings)
    problems += _what_fails(settings, keys)
    return Ran(open_warehouse(settings), problems)


def _by_steps(payloads: Iterable[Payload]) -> list[Payload]:
    return sorted(payloads, key=lambda payload: (payload.steps, payload.name))


def _address_workflows(settings: Settings, server: PayloadServer, payloads: Sequence[Payload]) -> None:
    """Every workflow calls a path of its own, so that the server knows who asks."""
    for payload in payloads:
        if payload.workflow is not None:
            add_workflow(
                hq_of(settings),
                settings,
                payload.workflow.model_copy(update={"base_url": f"{server.url}/{payload.slug}"}),
                actor=TESTER,
            )
    asked = {slug for payload in payloads for slug in payload.answers}
    for slug in sorted(asked - {payload.slug for payload in payloads}):
        set_client_config(
            hq_of(settings), settings, CLIENT, slug, set_values={"base_url": f"{server.url}/{slug}"}, actor=TESTER
        )


def _run_group(
    settings: Settings, server: PayloadServer, steps: Sequence[str], group: Sequence[Payload], file: Path
) -> str:
    """One batch with a row per file; returns its key."""
    pipeline = f"steps-{file.stem}"
    slugs = [slug for step in steps for slug in (_own_slugs(group) if step == OWN else [step])]
    add_pipeline(hq_of(settings), PipelineDefinition(slug=pipeline, steps=slugs), client=CLIENT, actor=TESTER)
    _write(file, group)
    upload = upload_file(hq_of(settings), settings, file, CLIENT, actor=TESTER)
    key = launch(
        hq_of(settings),
        settings,
        upload.upload_id,
        pipeline,
        client=CLIENT,
        add_partition=lambda _key: None,
        actor=TESTER,
    ).batch_key
    create_items(hq_of(settings), settings, key)
    _advance(settings, key)
    if server.callbacks:
        _call_back(settings, server.callbacks)
        server.callbacks.clear()
        _advance(settings, key)
    while any(payload.answers[slug].polls for payload in group for slug in payload.answers) and _overdue(settings, key):
        _advance(settings, key)
    return key


def _own_slugs(group: Iterable[Payload]) -> list[str]:
    return [payload.slug for payload in group if payload.workflow is not None]


def _write(file: Path, group: Sequence[Payload]) -> None:
    columns = list(dict.fromkeys(column for payload in group for column in payload.row))
    with file.open("w", newline="", encoding="utf-8") as out:
        rows = csv.DictWriter(out, [*columns, WHOSE], restval="")
        rows.writeheader()
        rows.writerows({**payload.row, WHOSE: payload.slug} for payload in group)


def _advance(settings: Settings, key: str) -> None:
    options = EngineOptions(RECEIVER, settings.sandbox_url, linger_seconds=0.1, progress_seconds=60.0)
    advance_batch(hq_of(settings), settings, key, build_providers(settings.sandbox_url), None, options=options)


def _call_back(settings: Settings, callbacks: Sequence[tuple[str, SentAnswer]]) -> None:
    incoming = [
        IncomingCallback(token, '{"content-type": "application/json"}', sent.body, hashlib.sha256(sent.body).digest())
        for token, sent in callbacks
    ]

    async def store() -> list[Receipt]:
        async with await connect_async(settings.hq_database_url or "", autocommit=True) as connection:
            await prepare_session(connection, 10.0)
            return await store_callbacks(connection, incoming)

    assert set(asyncio.run(store())) == {Receipt.STORED}


def _overdue(settings: Settings, key: str) -> bool:
    """Let the deadlines of what still waits pass; False: nothing waits."""
    with connect(settings.hq_database_url or "") as hq:
        moved = hq.execute(
            """
            update workflow_states set deadline_at = now() - interval '1 s'
            where status = 'IN_PROGRESS' and batch_id = (select id from batches where batch_key = %s)
            """,
            (key,),
        )
        hq.commit()
        return moved.rowcount > 0


def _what_fails(settings: Settings, keys: Sequence[str]) -> list[str]:
    """Tests of the tables that fail over all batches, and counts of one that do not add up."""
    models = list(load_project().models)
    failed = [test.message for tests in run_tests(settings, None, models).values() for test in tests if not test.passed]
    counts = [(key, count) for key in keys for count in reconcile(hq_of(settings), settings, key) if not count.passed]
    return [*failed, *(f"{key}: {c.name}: {c.expected} and {c.actual}" for key, c in counts)]
