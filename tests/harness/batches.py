"""A batch made directly, run by the real engine against the real sandbox, and read back as rows.

A workflow here is a small inline definition of provider `http`; what the sandbox does to a row is in the row itself:
its column `scenario` is sent as `x-sandbox-scenario`, its column `faults` as `x-sandbox-faults` (JSON).
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import itertools
import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from enrichment_assets.domain.pipeline import PipelineDefinition, Target
from enrichment_assets.domain.planning import build_blueprint
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.run.advance import EngineOptions, RunReport
from enrichment_assets.providers import build_providers
from enrichment_assets.sandbox.process import SandboxProcess
from enrichment_assets.services.batches.advancing import advance_batch
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.launching import insert_batch
from enrichment_assets.store.calls.ledger import Scope
from enrichment_assets.store.database import AsyncConnection, connect, connect_async
from enrichment_assets.store.inbox.callbacks import IncomingCallback, Receipt, prepare_session, store_callbacks
from enrichment_assets.store.money import budgets
from enrichment_assets.store.runs import claims
from tests.actors import TESTER
from tests.harness.handles import hq_of

Row = dict[str, Any]
RECEIVER = "http://127.0.0.1:9"
"""Nobody listens there: tests put callbacks into the inbox themselves, by the receiver's own statement."""

CALLER = {
    "x-sandbox-scenario": "{{ original.get('scenario') }}",
    "x-sandbox-faults": "{{ original.get('faults') }}",
}
FAST = {"base": 0.01, "max": 0.02}


def account(slug: str) -> str:
    """The step's account with the simulator, as an expression: a key that is written out is refused by the registry."""
    return f"{{{{ '{slug}' }}}}"


def step(slug: str, **fields: Any) -> WorkflowDefinition:
    """A synchronous person workflow that is billed a unit for each hit; `fields` override anything."""
    request = {
        "url": fields.pop("url", "/enrich"),
        "headers": {"x-api-key": account(slug), **CALLER},
        "body": {"item": {"id": "{{item.id}}"}, "first_name": "{{first_name}}", "step": slug, "n": "{{original.n}}"},
    }
    values: Row = {
        "slug": slug,
        "title": slug,
        "step": 1,
        "provider": "http",
        "operation": slug,
        "mode": "sync",
        "request": request,
        "provides": {slug.replace("-", "_"): "id"},
        "response": {"found_if": "found"},
        "callback": {"found_if": "found"},
        "price": {"estimate": "0.01", "not_found": "0"},
        "retry": FAST,
    }
    return WorkflowDefinition.model_validate({**values, **fields})


def company_step(slug: str, **fields: Any) -> WorkflowDefinition:
    """A workflow that asks about the row's company, once for each."""
    request = {
        "url": "/enrich",
        "headers": {"x-api-key": account(slug), **CALLER},
        "body": {"entity": "company", "company": "{{company_name}}", "step": slug},
    }
    return step(slug, **{"entity": "company", "request": request, "requires": ["company_name"], **fields})


def async_step(slug: str, **fields: Any) -> WorkflowDefinition:
    """A workflow that is answered by a callback; nothing is called back by itself (`RECEIVER`)."""
    request = {
        "url": "/enrich",
        "headers": {"x-api-key": account(slug), **CALLER},
        "body": {
            "item": {"id": "{{item.id}}"},
            "first_name": "{{first_name}}",
            "step": slug,
            "callback_url": "{{callback_url}}",
        },
    }
    values = {"mode": "async", "request": request, "response": {"external_id": "id"}}
    return step(slug, **{**values, **fields})


def bulk_step(slug: str, *, bulk: Row | None = None, envelope: Row | None = None, **fields: Any) -> WorkflowDefinition:
    """A workflow that asks for ten rows in one request; a row's column `trap` says what goes wrong with it alone."""
    request = {
        "url": "/enrich-many",
        "headers": {"x-api-key": account(slug)},
        "body": {"rows": "{{members}}", **(envelope or {})},
    }
    member = {"id": "{{item.id}}", "first_name": "{{first_name}}", "step": slug, "trap": "{{original.trap}}"}
    matched = {"sent": "id", "answered": "id"}
    together = {"at_most": 10, "member": member, "answers": "results", "match": matched, "status": "status"}
    values = {
        "request": request,
        "bulk": {**together, **(bulk or {})},
        "provides": {slug.replace("-", "_"): "number"},
    }
    return step(slug, **{**values, **fields})


def bulk_async_step(slug: str, **fields: Any) -> WorkflowDefinition:
    """The same where one callback answers for all."""
    envelope = {"callback_url": "{{callback_url}}", **fields.pop("envelope", {})}
    values = {"mode": "async", "response": {"external_id": "id"}}
    return bulk_step(slug, envelope=envelope, **{**values, **fields})


def people(count: int, **columns: str) -> list[Row]:
    """Rows with a first name, a number and the same further columns."""
    return [{"first_name": f"Ann{n}", "n": str(n), **columns} for n in range(1, count + 1)]


@dataclass
class Launched:
    """One batch and everything a test wants to know about it."""

    settings: Settings
    hq: psycopg.Connection[Row]
    sandbox: SandboxProcess
    key: str
    batch_id: int
    client: str

    def run(
        self, selection: set[str] | None = None, lease: float = 30.0, linger: float = 1.0, **more: Any
    ) -> RunReport:
        """Advance the batch in this process."""
        options = EngineOptions(
            RECEIVER, self.sandbox.url, lease_seconds=lease, linger_seconds=linger, progress_seconds=60.0
        )
        providers = build_providers(self.sandbox.url)
        return advance_batch(
            hq_of(self.settings), self.settings, self.key, providers, selection, options=options, **more
        )

    def run_twice_at_once(self, **more: Any) -> None:
        """Two runs beside each other, in threads of their own; returns when both have ended, raises what broke one."""
        with ThreadPoolExecutor(max_workers=2) as threads:
            runs = [threads.submit(self.run, **more) for _ in range(2)]
        for run in runs:
            run.result()

    def rows(self, query: str, *parameters: Any) -> list[Row]:
        """Rows as another connection sees them now."""
        found = self.hq.execute(query, parameters).fetchall()
        self.hq.rollback()
        return found

    def change(self, query: str, *parameters: Any) -> None:
        """Change something behind the engine's back, committed."""
        self.hq.execute(query, parameters)
        self.hq.commit()

    def first_item(self) -> int:
        """Id of the first item."""
        return int(self.rows("select min(id) as id from batch_items where batch_id = %s", self.batch_id)[0]["id"])

    def states(self, slug: str | None = None) -> list[Row]:
        """Workflow states with their row number, in the order of rows and steps."""
        return self.rows(
            """
            select i.row_number, s.* from workflow_states s join batch_items i on i.id = s.item_id
            where s.batch_id = %s and (%s::text is null or s.workflow_slug = %s) order by i.row_number, s.position
            """,
            self.batch_id,
            slug,
            slug,
        )

    def state(self, slug: str, row_number: int = 1) -> Row:
        """One workflow state."""
        return next(row for row in self.states(slug) if row["row_number"] == row_number)

    def statuses(self, slug: str | None = None) -> Counter[str]:
        """How many states stand where."""
        return Counter(row["status"] for row in self.states(slug))

    def calls(self, slug: str | None = None) -> list[Row]:
        """Ledger rows by item, oldest first."""
        return self.rows(
            """
            select * from provider_calls where batch_id = %s and (%s::text is null or workflow_slug = %s)
            order by item_id, id
            """,
            self.batch_id,
            slug,
            slug,
        )

    def bulk_calls(self) -> list[Row]:
        """Requests that carried several calls, oldest first."""
        return self.rows("select * from bulk_calls where batch_id = %s order by created_at, id", self.batch_id)

    def results(self) -> list[Row]:
        """Result rows, oldest first."""
        return self.rows("select * from enrichment_results where batch_id = %s order by id", self.batch_id)

    def log(self) -> list[Row]:
        """Attempts as logged, oldest first."""
        return self.rows("select * from enrichment_results_log where batch_id = %s order by id", self.batch_id)

    def inbox(self) -> list[Row]:
        """Callbacks, oldest first."""
        return self.rows("select * from callback_inbox where batch_id = %s order by id", self.batch_id)

    def call_back(self, call: Row, body: bytes | Row) -> Receipt:
        """Commit one callback for a ledger row, as the receiver does."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()

        async def store() -> Receipt:
            url = self.settings.hq_database_url or ""
            async with await connect_async(url, autocommit=True) as connection:
                await prepare_session(connection, 10.0)
                callback = IncomingCallback(call["callback_token"], "{}", raw, hashlib.sha256(raw).digest())
                return (await store_callbacks(connection, [callback]))[0]

        return asyncio.run(store())

    def overdue(self) -> None:
        """Let every deadline have passed."""
        self.change("update workflow_states set deadline_at = now() - interval '1 s' where deadline_at is not null")

    def due(self) -> None:
        """Let every wait before a retry be over."""
        self.change("update workflow_states set next_attempt_at = null where status = 'PENDING'")

    def set_budget(self, amount: str, *, batch: bool = False, workflow: str | None = None) -> None:
        """A budget of this client, batch or workflow."""
        client_id = self.rows("select client_id from batches where id = %s", self.batch_id)[0]["client_id"]
        batch_id = self.batch_id if batch else None
        budgets.set_budget(self.hq, client_id, batch_id, workflow, Decimal(amount))
        self.hq.commit()

    def budgets(self) -> list[budgets.Budget]:
        """All budgets."""
        found = budgets.list_budgets(self.hq)
        self.hq.rollback()
        return found

    def billed(self, slug: str | None = None) -> int:
        """How often the sandbox charged, for the key of one step or in all."""
        bill = self.sandbox.billing(subjects=False)
        return sum(a["charged"] for a in bill["accounts"] if slug is None or self._is_key(a["key"], slug))

    def asked(self, slug: str) -> int:
        """How often the sandbox was called with the key of one step."""
        return sum(a["calls"] for a in self.sandbox.billing()["accounts"] if self._is_key(a["key"], slug))

    @staticmethod
    def _is_key(shown: str, slug: str) -> bool:
        return shown.endswith(hashlib.sha256(slug.encode()).hexdigest()[:8])


async def start_runner(connection: AsyncConnection, batch: Launched, lease_seconds: float = 60.0) -> Scope:
    """A new runner's scope."""
    cursor = await connection.execute("select client_id from batches where id = %s", (batch.batch_id,))
    row = await cursor.fetchone()
    assert row is not None
    runner = await claims.start_runner(connection, batch.batch_id, "test", lease_seconds)
    return Scope(row["client_id"], batch.batch_id, runner)


class BatchHarness:
    """Launches batches."""

    def __init__(self, settings: Settings, hq: psycopg.Connection[Row], sandbox: SandboxProcess, folder: Path) -> None:
        self.settings = settings
        self.hq = hq
        self.sandbox = sandbox
        self._folder = folder
        self._numbers = itertools.count(1)

    def launch(
        self,
        rows: Sequence[Row],
        *workflows: WorkflowDefinition,
        steps: Sequence[Any] | None = None,
        client: str = "acme",
        key: str | None = None,
        target: Row | None = None,
        **pipeline_fields: Any,
    ) -> Launched:
        """Upload rows for a client and lay out their batch; `steps` is the pipeline where it has a waterfall.

        Further fields are the pipeline's: `guard`, `families`, `known`, `company_identity`.
        """
        number = next(self._numbers)
        key = key or f"{client}-{number}"
        upload = self._upload(rows, client, number)
        order = list(steps or [w.slug for w in workflows])
        pipeline = PipelineDefinition.model_validate({"slug": "p", "steps": order, **pipeline_fields})
        blueprint = build_blueprint(client, pipeline, {w.slug: w for w in workflows}, {})
        if target is not None:
            blueprint = blueprint.model_copy(update={"target": Target.model_validate(target)})
        with connect(self.settings.hq_database_url or "") as connection:
            assert insert_batch(connection, key, upload, blueprint)
            connection.commit()
        create_items(hq_of(self.settings), self.settings, key)
        row = self.hq.execute("select id from batches where batch_key = %s", (key,)).fetchone()
        self.hq.rollback()
        assert row is not None
        return Launched(self.settings, self.hq, self.sandbox, key, row["id"], client)

    def _upload(self, rows: Sequence[Row], client: str, number: int) -> Row:
        with connect(self.settings.hq_database_url or "") as connection:
            connection.execute(
                "insert into clients (slug, name) values (%s, %s) on conflict (slug) do nothing", (client, client)
            )
            connection.commit()
        text = io.StringIO()
        names = list(dict.fromkeys(name for row in rows for name in row))
        writer = csv.DictWriter(text, [*names, "file"], restval="")
        writer.writeheader()
        writer.writerows({**row, "file": f"{number}"} for row in rows)
        path = self._folder / f"{client}-{number}.csv"
        path.write_text(text.getvalue())
        report = upload_file(hq_of(self.settings), self.settings, path, client, actor=TESTER)
        found = self.hq.execute("select * from uploads where id = %s", (report.upload_id,)).fetchone()
        self.hq.rollback()
        assert found is not None
        return found
