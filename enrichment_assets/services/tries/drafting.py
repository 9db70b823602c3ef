"""What a try would ask: the workflow as a launch would take it now, and the rows it is tried on. Writes nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.pipeline import Blueprint, BlueprintStep, ClientWorkflowConfig, PipelineDefinition
from enrichment_assets.domain.planning import apply_config, with_profile
from enrichment_assets.domain.workflow import Mode, WorkflowDefinition
from enrichment_assets.engine.run.context import Batch
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.providers import build_providers
from enrichment_assets.services.batches.loaded_items import load
from enrichment_assets.services.batches.simulation import calls_simulator
from enrichment_assets.services.batches.step_plans import readiness, without_profile
from enrichment_assets.services.catalog.clients import no_such_workflow
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.services.operations.rereading import prepared_step
from enrichment_assets.services.tries.given import Given, given_item
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches import launching, tries
from enrichment_assets.store.catalog import clients as clients_store
from enrichment_assets.store.catalog import profiles
from enrichment_assets.store.catalog import registry as registry_store
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.runs.contexts import LoadedItem

MOST_ROWS = 100
"""Rows of one try; more are a pilot of a batch."""

USUAL_REUSE = 7 * 86_400.0
"""Seconds that the answer of an earlier try may be old to be shown again, where the workflow reuses none by itself."""

_ROW = re.compile(r"(?P<batch>[^:\s]+)(?::(?P<row>[0-9]{1,15}))?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to try.

    Attributes:
        workflow: Its slug.
        client: Whose configuration, budget and ledger; None: that of the rows, or of the only client there is.
        row: `BATCH:N`, or `BATCH` for its first row; None: `given`.
        given: Field -> value, `original.COLUMN` for a column of a list.
        count: How many rows from that one on.
        fresh: Ask again what was asked before.
    """

    workflow: str
    client: str | None = None
    row: str | None = None
    given: Mapping[str, Any] | None = None
    count: int = 1
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A try that could be made.

    Attributes:
        batch: The batch that it would be; its id is that of the rows' batch (0: they are given), its key a sentence's.
        slug: The workflow that is tried.
        source: Ids of the items that it is copied from; empty: `given` is its only item.
        items: Its rows as the step sees them.
        problems: What keeps the workflow from being called.
    """

    batch: Batch
    slug: str
    step: Step
    source: tuple[int, ...]
    given: Given | None
    items: Sequence[LoadedItem]
    problems: tuple[str, ...]

    @property
    def workflow(self) -> WorkflowDefinition:
        """As a launch would take it now, the client's configuration merged in."""
        return self.step.workflow


def draft_try(hq: Hq, settings: Settings, wanted: Wanted) -> Draft:
    """Find the workflow, the client and the rows.

    Raises:
        NotFoundError: No such workflow, client, batch or row.
        ConfigurationError: The workflow is disabled or archived, a field is none, every row lacks a required input, or
            it is not said which client or which row.
    """
    with registry(hq) as connection:
        source = _source(connection, wanted)
        client = _client(connection, wanted, source)
        workflows = registry_store.readable_workflows(registry_store.list_workflow_rows(connection))
        workflow = _workflow(connection, wanted.workflow, client, workflows)
        rows = [] if source is None else _rows(connection, source, wanted)
        told = profiles.told(connection, client["id"])
    blueprint = with_profile(_blueprint(settings, client["slug"], workflow, wanted, source), told)
    given = None
    if source is None:
        given = given_item(client["id"], wanted.given or {}, workflow, workflows.values(), blueprint.company_identity)
    key = "-" if source is None else source["batch_key"]
    batch = Batch(0 if source is None else source["id"], key, client["id"], client["slug"], blueprint)
    step = prepared_step(settings.sandbox_url, blueprint, workflow.slug)
    ids = tuple(row["id"] for row in rows)
    items = [given.item] if given is not None else load(hq, ids, blueprint)
    simulated = bool(blueprint.simulated)
    problems = [
        *readiness(workflow, build_providers(settings.sandbox_url), None, simulated=simulated),
        *without_profile(blueprint.step(workflow.slug), blueprint),
    ]
    draft = Draft(batch, workflow.slug, step, ids, given, items, tuple(problems))
    _refuse_incomplete(draft)
    return draft


def _source(connection: Connection, wanted: Wanted) -> dict[str, Any] | None:
    """The batch of the row that is named; None: its fields are given."""
    if (wanted.row is None) == (not wanted.given):
        raise ConfigurationError(
            "a try needs one of the two: a row of a batch, or fields", Hint(Action.GIVE_ROW), code="try.row_or_fields"
        )
    if not 1 <= wanted.count <= MOST_ROWS:
        raise ConfigurationError(
            f"a try has 1 to {MOST_ROWS} rows; more of them are a pilot of a batch", code="try.too_many_rows"
        )
    if wanted.row is None:
        if wanted.count > 1:
            raise ConfigurationError(
                "fields that are given are one row: name a batch for several",
                Hint(Action.GIVE_ROW),
                code="try.several_of_given",
            )
        return None
    found = _ROW.fullmatch(wanted.row.strip())
    if found is None:
        raise ConfigurationError(
            f"{wanted.row!r} names no row: it is the batch's key and the row's number, as acme-1:17",
            code="try.row_invalid",
        )
    batch = launching.get_batch(connection, found["batch"])
    if batch is None:
        raise no_such_batch(connection, found["batch"])
    if batch["items_created_at"] is None:
        raise ConfigurationError(
            f"batch {found['batch']} has no rows yet",
            Hint(Action.START_BATCH, {"batch": found["batch"]}),
            code="try.batch_not_started",
        )
    return {**batch, "row": None if found["row"] is None else int(found["row"])}


def _rows(connection: Connection, source: Mapping[str, Any], wanted: Wanted) -> list[dict[str, Any]]:
    first = source["row"]
    rows = tries.rows_from(connection, source["id"], first or 0, wanted.count)
    if not rows or (first is not None and rows[0]["row_number"] != first):
        raise NotFoundError(
            f"batch {source['batch_key']} has no row {first or 1}: it was rejected, is held back by a pilot, or the "
            f"list has none",
            Hint(Action.SEE_BATCH, {"batch": source["batch_key"]}),
            code="row.not_found",
        )
    return rows


def _client(connection: Connection, wanted: Wanted, source: Mapping[str, Any] | None) -> dict[str, Any]:
    if source is not None:
        if wanted.client not in (None, source["client"]):
            raise ConfigurationError(
                f"batch {source['batch_key']} is client {source['client']}'s: its rows are tried for nobody else",
                code="try.other_client",
            )
        return client_row(connection, source["client"])
    if wanted.client is not None:
        return client_row(connection, wanted.client)
    there = clients_store.list_clients(connection)
    if len(there) != 1:
        raise ConfigurationError(
            f"there are {len(there)} clients, and a try is for one: its configuration, its budget",
            Hint(Action.SAY_CLIENT) if there else Hint(Action.ADD_CLIENT, {"client": "acme"}),
            code="try.client_not_said",
        )
    return there[0]


def _workflow(
    connection: Connection, slug: str, client: Mapping[str, Any], workflows: Mapping[str, WorkflowDefinition]
) -> WorkflowDefinition:
    """The workflow as a launch for this client would take it now."""
    row = next((r for r in registry_store.list_workflow_rows(connection) if r["workflow_slug"] == slug), None)
    if row is None:
        raise no_such_workflow(slug, workflows)
    if row["archived_at"] is not None:
        raise ConfigurationError(
            f"workflow {slug} is archived", Hint(Action.RESTORE_WORKFLOW, {"workflow": slug}), code="workflow.archived"
        )
    registered = registry_store.workflow_of(row)
    config = registry_store.client_configs(connection, client["id"]).get(slug, ClientWorkflowConfig())
    merged = apply_config(client["slug"], registered, config)
    if not registered.enabled:
        raise ConfigurationError(
            f"workflow {slug} is disabled", Hint(Action.ENABLE_WORKFLOW, {"workflow": slug}), code="workflow.disabled"
        )
    if not config.enabled or not merged.enabled:
        raise ConfigurationError(
            f"workflow {slug} is switched off for client {client['slug']}",
            Hint(Action.ENABLE_FOR_CLIENT, {"workflow": slug, "client": client["slug"]}),
            code="workflow.switched_off",
        )
    return merged


def _blueprint(
    settings: Settings,
    client: str,
    workflow: WorkflowDefinition,
    wanted: Wanted,
    source: Mapping[str, Any] | None,
) -> Blueprint:
    """The steps whose answers the tried one sees, and the tried one: it waits for nobody and is nobody's fallback."""
    if workflow.mode is not Mode.LOCAL:
        age = 0.0 if wanted.fresh else workflow.reuse_for or USUAL_REUSE
        workflow = workflow.model_copy(update={"reuse_for": age})
    launched = None if source is None else Blueprint.model_validate(source["blueprint"])
    before: list[BlueprintStep] = []
    for step in () if launched is None else launched.steps:
        if step.slug == workflow.slug:
            break
        before.append(step)
    position = before[-1].position + 1 if before else 0
    tried = BlueprintStep(position=position, workflow=workflow, registry_version=workflow.version())
    usual = PipelineDefinition(slug=workflow.slug, steps=[workflow.slug]).company_identity
    identity = list(usual) if launched is None else launched.company_identity
    blueprint = Blueprint(client=client, pipeline=workflow.slug, company_identity=identity, steps=[*before, tried])
    return blueprint.model_copy(update={"simulated": calls_simulator(settings)})


def _refuse_incomplete(draft: Draft) -> None:
    """Raise where no row has what the workflow requires: there would be nothing to see."""
    lacking = [draft.workflow.missing_requirements(draft.batch.item_context(item, draft.step)) for item in draft.items]
    if not all(lacking):
        return
    fields = [name.replace("|", " or ") for name in lacking[0]]
    first = lacking[0][0].partition("|")[0]
    if draft.given is not None:
        hint = Hint(Action.GIVE_FIELD, {"field": first})
    else:
        hint = Hint(Action.TRY_EARLIER_STEP, {"field": first})
    raise ConfigurationError(
        f"workflow {draft.slug} requires {', '.join(fields)}, which "
        f"{'was not given' if draft.given is not None else 'the row does not have at this step'}",
        hint,
        code="try.missing_input",
    )
