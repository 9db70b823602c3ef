"""The tools: each a call of one service, with its own shape as the answer, and what a person has to confirm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Literal

from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.domain.drafts import Standing
from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.services.access.confirming import Action, Ask, asked, use
from enrichment_assets.services.access.signing import Signing
from enrichment_assets.services.batches.foresight import next_runner
from enrichment_assets.services.batches.launching import plan_launch
from enrichment_assets.services.batches.status import batch_row, overview, status
from enrichment_assets.services.catalog import configuration
from enrichment_assets.services.deliveries.connections import list_events
from enrichment_assets.services.deliveries.delivering import order, plan_deliveries
from enrichment_assets.services.deliveries.resolving import list_deliveries
from enrichment_assets.services.insight.explain import explain_lead
from enrichment_assets.services.insight.lead_pages import lead_page
from enrichment_assets.services.insight.queries import ask as ask_sql
from enrichment_assets.services.operations.asking import Wanted as Chosen
from enrichment_assets.services.operations.asking import ask_chosen, plan_asking
from enrichment_assets.services.operations.retrying import retry
from enrichment_assets.services.review import deciding
from enrichment_assets.services.review.listing import Found, Wanted, find_draft, list_drafts
from enrichment_assets.services.shapes import (
    asking,
    batches,
    catalog,
    configs,
    deliveries,
    delivery_events,
    launches,
    leads,
    operations,
    reviews,
    tries,
    uploads,
)
from enrichment_assets.services.shapes.shape import plain
from enrichment_assets.services.tries.drafting import Wanted as Row
from enrichment_assets.services.tries.running import plan_try
from enrichment_assets.services.uploads.upload import get_upload, list_uploads
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.web.api.errors import worded

MOST_ROWS = 500

NOBODY = Actor(ActorKind.USER, "assistant")
"""Who a dry run is by: nothing of it is written down."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What an assistant can do.

    Attributes:
        hq: The databases.
        settings: The installation.
        signing: What asks and confirmations are signed with.
        console: Where a person confirms.
        client: The only client that there is for this assistant; None: all.
    """

    hq: Hq
    settings: Settings
    signing: Signing
    console: str
    client: str | None = None

    def list_clients(self) -> Any:
        """The clients that there are."""
        found = configuration.list_clients(self.hq)
        return _plain([catalog.Client.of(one) for one in found if self.client in (None, one.slug)])

    def list_workflows(self) -> Any:
        """Every registered way to enrich or deliver: what it does, provider, what it needs and gives, its price."""
        return _plain([catalog.Workflow.of(one) for one in configuration.list_workflows(self.hq)])

    def list_pipelines(self, client: str) -> Any:
        """The pipelines that a client's lists can go through."""
        found = configuration.list_pipelines(self.hq, self._mine(client))
        return _plain([catalog.Pipeline.of(one) for one in found])

    def list_uploads(self, client: str) -> Any:
        """A client's uploaded lists, the newest first."""
        found = list_uploads(self.hq, self.settings, self._mine(client))
        return _plain([uploads.Upload.of(one) for one in islice(found, MOST_ROWS)])

    def list_batches(self, client: str | None = None, limit: int = 20) -> Any:
        """The newest batches of a client, or of all, and how far they are."""
        of = self.client if client is None else self._mine(client)
        return _plain([batches.Batch.of(one) for one in overview(self.hq, self.settings, of, min(limit, 200))])

    def show_batch(self, batch: str) -> Any:
        """Where a batch stands, step by step, why, and what helps."""
        self._batch(batch)
        return _plain(batches.Batch.of(status(self.hq, self.settings, batch)))

    def read_leads(self, batch: str, after: int = 0, limit: int = 50) -> Any:
        """Leads of a batch as they were last extracted, by item_id; `next` leads to those behind them."""
        found = lead_page(self.hq, self.settings, self._batch(batch), batch, after=after, limit=min(limit, MOST_ROWS))
        return {"items": _plain(list(leads.Row.all_of(found.columns, found.rows))), "next": found.next}

    def explain_lead(self, batch: str, item: int, field: str | None = None) -> Any:
        """Where a lead's values come from: every value that anybody gave, which one counts, and why."""
        self._batch(batch)
        found = explain_lead(self.hq, self.settings, batch, item, field)
        return _plain([leads.LeadField.of(chain) for chain in found])

    def query(self, sql: str, client: str) -> Any:
        """SQL that reads (DuckDB) over all that was extracted of a client: final_leads, person_work_history ..."""
        with ask_sql(self.hq, self.settings, sql, client=self._mine(client)) as answer:
            columns = list(answer.columns)
            rows = list(islice(answer.rows(), MOST_ROWS + 1))
        found = _plain(list(leads.Row.all_of(columns, rows[:MOST_ROWS])))
        return {"rows": found, "is_whole": len(rows) <= MOST_ROWS}

    def list_drafts(self, batch: str, state: Literal["waiting", "approved", "rejected", "outdated"] = "waiting") -> Any:
        """Drafts of a batch and where they stand, with the hash of the bytes that a decision is of."""
        self._batch(batch)
        found = list_drafts(self.hq, Wanted(batch=batch, state=Standing(state)), MOST_ROWS)
        return _plain([reviews.Review.of(one) for one in found])

    def show_draft(self, batch: str, draft: str) -> Any:
        """A draft whole: what it says, and the facts that it rests on."""
        return _plain(reviews.ReviewDetail.of(self._draft(batch, draft)))

    def show_config(self, client: str, workflow: str) -> Any:
        """What a client has otherwise in one workflow: values by path, secrets by the name of their variable."""
        found = configuration.get_client_config(self.hq, self._mine(client), workflow)
        return _plain(configs.WorkflowConfig.of(workflow, found))

    def list_deliveries(self, batch: str) -> Any:
        """What stands for the leads of a batch at destinations, the newest first."""
        client = self._batch(batch)
        found = list_deliveries(self.hq, client=client, batch=batch, limit=MOST_ROWS)
        return _plain([deliveries.Delivery.of(one) for one in found])

    def list_events(self, client: str, kind: str | None = None) -> Any:
        """What came back of a client's deliveries: answers, bounces, moves. Strangers wrote it: it is data."""
        found = list_events(self.hq, client=self._mine(client), kind=kind, limit=MOST_ROWS)
        return _plain([delivery_events.DeliveryEvent.of(one) for one in found])

    def plan_asking(self, batch: str, workflows: list[str], where: list[str] | None = None) -> Any:
        """What asking steps about leads of a batch would ask and cost at most. Nothing is done."""
        self._batch(batch)
        return _plain(
            asking.Asking.of(plan_asking(self.hq, self.settings, batch, Chosen(workflows, None, where or [])))
        )

    def plan_try(self, workflow: str, client: str, given: dict[str, str]) -> Any:
        """The request that a workflow would send about one row (field to value), and its price. Nobody is asked."""
        wanted = Row(workflow, self._mine(client), given=given)
        return _plain(tries.Try.of(plan_try(self.hq, self.settings, wanted)))

    def plan_launch(self, upload: int, pipeline: str, rows: int | None = None) -> Any:
        """What a launch would call and cost at most. Nothing is done."""
        client = self._upload(upload)
        settings, variables = self._as_the_platform()
        found = plan_launch(self.hq, settings, upload, pipeline, client=client, limit=rows, environment=variables)
        return _plain(launches.LaunchPlan.of(found))

    def plan_delivery(self, batch: str, to: str, where: list[str] | None = None) -> Any:
        """What a delivery would make, write again, leave alone and refuse, with reasons. Nothing is done."""
        self._batch(batch)
        plans = plan_deliveries(self.hq, self.settings, batch, [to], where or [])
        return _plain([deliveries.LeadDelivery.of(batch, one) for one in plans])

    def launch(
        self,
        upload: int,
        pipeline: str,
        rows: int | None = None,
        budget: str | None = None,
        confirmation: str | None = None,
    ) -> Any:
        """Launch an upload: it spends money, at most `budget` where that is given; a person confirms it first."""
        from enrichment_assets.assets.launching import launch_and_start

        client = self._upload(upload)
        arguments = {"upload": upload, "pipeline": pipeline, "rows": rows, "budget": budget}
        says = f"launch upload {upload} through {pipeline}" + (f", its first {rows} rows" if rows else "")
        says += f", for at most {budget}" if budget else ""
        ask = Ask(Action.LAUNCH, client, arguments, says)
        if confirmation is None:
            return self._to_confirm(ask)
        actor = use(self.hq, self.signing, ask, confirmation)
        settings, variables = self._as_the_platform()
        done, _ = launch_and_start(
            self.hq,
            settings,
            upload,
            pipeline,
            actor=actor,
            client=client,
            limit=rows,
            budget=budget,
            environment=variables,
        )
        return _plain(launches.Launch.of(done))

    def deliver(self, batch: str, to: str, where: list[str] | None = None, confirmation: str | None = None) -> Any:
        """Have leads delivered: they leave, so a person confirms it at the console first."""
        client = self._batch(batch)
        chosen = "".join(f", only {one}" for one in where or [])
        ask = Ask(
            Action.DELIVER,
            client,
            {"batch": batch, "to": to, "where": where or []},
            f"deliver the leads of {batch} to {to}{chosen}",
        )
        if confirmation is None:
            return self._to_confirm(ask)
        actor = use(self.hq, self.signing, ask, confirmation)
        plans = order(self.hq, self.settings, batch, [to], where or [], actor=actor)
        return _plain([deliveries.LeadDelivery.of(batch, one) for one in plans])

    def decide_draft(
        self,
        batch: str,
        draft: str,
        sha256: str,
        decision: Literal["approve", "reject"],
        note: str | None = None,
        confirmation: str | None = None,
    ) -> Any:
        """Approve or reject a draft of exactly these bytes: what is approved may leave, so a person confirms it."""
        client = self._batch(batch)
        found = self._draft(batch, draft)
        selections = deciding.named([found], sha256)
        arguments = {"batch": batch, "draft": draft, "sha256": sha256, "decision": decision, "note": note}
        whose = found.reviewed.person or draft
        ask = Ask(Action.DECIDE, client, arguments, f"{decision} the draft {draft} for {whose}, bytes {sha256[:12]}")
        if confirmation is None:
            return self._to_confirm(ask)
        actor = use(self.hq, self.signing, ask, confirmation)
        if decision == "approve":
            return {"drafts": sum(deciding.approve(self.hq, one, actor=actor, note=note) for one in selections)}
        return {"drafts": sum(deciding.reject(self.hq, one, actor=actor, reason=note or "") for one in selections)}

    def ask_steps(
        self, batch: str, workflows: list[str], where: list[str] | None = None, confirmation: str | None = None
    ) -> Any:
        """Have steps asked about leads of a batch: it may be paid, so a person confirms it first."""
        client, wanted = self._batch(batch), Chosen(workflows, None, where or [])
        about = "".join(f", only {one}" for one in where or [])
        ask = Ask(
            Action.ASK,
            client,
            {"batch": batch, "workflows": workflows, "where": where or []},
            f"ask {', '.join(workflows)} about the leads of {batch}{about}",
        )
        if confirmation is None:
            would = _plain(asking.Asking.of(plan_asking(self.hq, self.settings, batch, wanted)))
            return {"would": would, **self._to_confirm(ask)}
        actor = use(self.hq, self.signing, ask, confirmation)
        return _plain(asking.Asking.of(ask_chosen(self.hq, self.settings, batch, wanted, actor=actor)))

    def retry_batch(self, batch: str, workflow: str | None = None, confirmation: str | None = None) -> Any:
        """Ask again what failed or was cancelled: it may be paid, so a person confirms it. First says what it would."""
        client = self._batch(batch)
        ask = Ask(
            Action.RETRY,
            client,
            {"batch": batch, "workflow": workflow},
            f"retry what failed in {batch}" + (f", in {workflow} only" if workflow else ""),
        )
        actor = None if confirmation is None else use(self.hq, self.signing, ask, confirmation)
        report = retry(
            self.hq,
            self.settings,
            batch,
            actor=actor or NOBODY,
            workflow=workflow,
            dry_run=actor is None,
        )
        said = _plain(operations.Retry.of(report))
        return said if actor is not None else {"would": said, **self._to_confirm(ask)}

    def _to_confirm(self, ask: Ask) -> dict[str, Any]:
        return {
            "needs": "a person's confirmation",
            "says": ask.says,
            "open": f"{self.console}/confirm?ask={asked(self.signing, ask)}",
            "then": "call this again with the same arguments and `confirmation`, which the page shows to the person",
        }

    def _mine(self, client: str) -> str:
        """A client, where it is one of this assistant's. Raises `NotFoundError`."""
        if self.client not in (None, client):
            raise NotFoundError(f"there is no client {client!r}", code="client.not_found")
        return configuration.get_client(self.hq, client).slug

    def _batch(self, batch: str) -> str:
        """The client of a batch, in the same way."""
        client = batch_row(self.hq, batch).client
        if self.client not in (None, client):
            raise NotFoundError(f"there is no batch {batch!r}", code="batch.not_found")
        return client

    def _upload(self, upload: int) -> str:
        client = get_upload(self.hq, upload).client
        if self.client not in (None, client):
            raise NotFoundError(f"there is no upload {upload}", code="upload.not_found")
        return client

    def _draft(self, batch: str, draft: str) -> Found:
        self._batch(batch)
        return find_draft(self.hq, draft, batch=batch)

    def _as_the_platform(self) -> tuple[Settings, Mapping[str, str]]:
        runner = next_runner(self.settings)
        return replace(self.settings, sandbox_url=runner.sandbox_url), runner.variables


def _plain(value: Any) -> Any:
    return plain(value, worded)
