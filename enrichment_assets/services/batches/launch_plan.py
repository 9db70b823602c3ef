"""What a launch would do: the blueprint, the calls it would make at most, and what they can cost. Writes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from enrichment_assets.domain.batch_keys import checked_batch_key
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.known_names import emitted_by
from enrichment_assets.domain.known_policy import Known
from enrichment_assets.domain.name_checks import column_faults, columns_read
from enrichment_assets.domain.pipeline import Blueprint, PipelineDefinition, with_phases, with_target
from enrichment_assets.domain.planning import build_blueprint, switched_off, with_profile
from enrichment_assets.domain.priorities import Priority
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.registry.loader import systems
from enrichment_assets.services.batches.children_at_most import children_at_most, cost_with_children
from enrichment_assets.services.batches.known_rows import known_rows
from enrichment_assets.services.batches.looked_over import LackingInput, look_over
from enrichment_assets.services.batches.pilots import is_pilot_of, pilot_for
from enrichment_assets.services.batches.step_plans import StepPlan, step_plans
from enrichment_assets.services.catalog.configuration import pipeline_row
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.services.uploads.upload import read_rows
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches import launching as store
from enrichment_assets.store.catalog import profiles
from enrichment_assets.store.catalog import registry as registry_store
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq

if TYPE_CHECKING:
    import pyarrow as pa

_HASH_PREFIX = re.compile(r"[0-9a-f]{6,64}")


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """What a launch would do. `problems` is empty when it may be launched; `companies` is None when not counted.

    `items` are the rows that it would add. `rows_before`: how many the batch has already, a pilot that goes on.

    `known_rows`: how many of them the client has from earlier batches, where `known` says that somebody looks; with
    `skip`, `not_spent` is what they would have cost at most.

    `children`: (emitting step, items that it can make at most); `cost_with_children`: of the rows and all of these.

    `lacking`: what steps need and rows have not, so that they are skipped there; `unread`: columns that are no field.
    """

    client: str
    upload_id: int
    filename: str
    pipeline: str
    batch_key: str
    rows: int
    rejected: int
    items: int
    companies: int | None
    steps: tuple[StepPlan, ...]
    left_out: tuple[str, ...]
    cost_at_most: Mapping[str, Decimal]
    problems: tuple[str, ...]
    rows_before: int = 0
    known: Known | None = None
    known_rows: int = 0
    not_spent: Mapping[str, Decimal] = field(default_factory=dict)
    children: tuple[tuple[str, int], ...] = ()
    cost_with_children: Mapping[str, Decimal] = field(default_factory=dict)
    lacking: tuple[LackingInput, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """An upload, a pipeline and the blueprint that they would make.

    `left_out`: steps the client switched off. `misread`: columns that steps name and the file does not have.
    `limit`: only so many readable rows; `rows_before` of them are there. `skipped`: rows that the client knows already.
    `budget`: what the batch may spend at most, from its first call on; None: it gets none of its own.
    `read`: reads the upload's rows, for a plan.
    """

    upload: dict[str, Any]
    pipeline: PipelineDefinition
    blueprint: Blueprint
    left_out: tuple[str, ...]
    misread: tuple[str, ...] = ()
    limit: int | None = None
    rows_before: int = 0
    skipped: int = 0
    priority: Priority = Priority.NORMAL
    budget: Decimal | None = None
    read: Callable[[], Iterable[pa.RecordBatch]] = tuple

    @property
    def window(self) -> slice:
        """Which readable rows become items."""
        readable = int(self.upload["row_count"] - self.upload["rejected_count"])
        end = readable if self.limit is None else min(self.limit, readable)
        return slice(self.rows_before, max(end, self.rows_before))

    @property
    def items(self) -> int:
        """Rows that become items."""
        return int(self.window.stop - self.window.start)


def plan_launch(
    hq: Hq,
    settings: Settings,
    upload: int | str,
    pipeline: str,
    *,
    client: str | None = None,
    batch_key: str | None = None,
    limit: int | None = None,
    replacing: bool = False,
    known: Known | None = None,
    environment: Mapping[str, str] | None = None,
    target: int | None = None,
) -> LaunchPlan:
    """Say what a launch would call, how often, and what it would cost at most.

    Writes nothing, but for the index of the client's leads where somebody asks whom the client knows.

    Args:
        hq: The databases.
        settings: The installation.
        upload: The upload's id, or at least six digits of its SHA-256.
        pipeline: The client's pipeline, or a shared one.
        client: Needed only where two clients have uploaded the same file.
        batch_key: Default: the pilot of this upload and pipeline, else `<client>-<upload id>-<pipeline>-<n>`.
        limit: A pilot: only so many readable rows, the first ones.
        replacing: Another batch is given up for it, so that no pilot goes on.
        known: What becomes of leads that the client has already, in place of what the pipeline says.
        environment: Where keys are looked for; default `os.environ`.
        target: So many children at most of the step that the pipeline counts.

    Raises:
        NotFoundError: No such upload, client or pipeline.
        ConfigurationError: The pipeline cannot run at all. What only lacks a key or an address is in `problems`.
    """
    with registry(hq) as connection:
        draft = replace(draft_launch(connection, upload, pipeline, client, target, known), limit=limit)
        asked = checked_batch_key(batch_key) if batch_key else None
        there = store.get_batch(connection, asked) if asked else None
        if asked is None and not replacing:
            there = pilot_for(connection, draft.upload, draft.blueprint)
        goes_on = there is not None and is_pilot_of(there, draft.upload, draft.pipeline.slug)
        if there is not None and goes_on:
            draft = replace(draft, rows_before=there["row_limit"], blueprint=_asking_as(there, draft.blueprint))
        key = there["batch_key"] if there else asked or default_key(connection, draft)
        taken = there is not None and not goes_on
    draft = replace(draft, read=partial(read_rows, hq, settings, draft.upload["id"]))
    has_already = known_rows(hq, settings, draft, there["id"] if there is not None and goes_on else 0)
    seen = look_over(draft.read(), draft.upload["columns"], draft.blueprint, draft.window)
    steps = step_plans(settings, draft, seen.companies, environment, by_rows=True)
    cost = before = _cost(steps)
    if has_already and draft.blueprint.skips_known:
        draft = replace(draft, skipped=has_already)
        steps = step_plans(settings, draft, seen.companies, environment, by_rows=True)
        cost = _cost(steps)
    children = children_at_most(draft.blueprint, draft.items)
    problems = [f"batch {key!r} exists already"] if taken else []
    problems += unrecognised(draft)
    return LaunchPlan(
        client=draft.upload["client"],
        upload_id=draft.upload["id"],
        filename=draft.upload["filename"],
        pipeline=draft.pipeline.slug,
        batch_key=key,
        rows=draft.upload["row_count"],
        rejected=draft.upload["rejected_count"],
        items=draft.items,
        companies=seen.companies,
        steps=steps,
        left_out=draft.left_out,
        cost_at_most=cost,
        problems=(*problems, *(problem for step in steps for problem in step.problems)),
        rows_before=draft.rows_before,
        known=draft.blueprint.known,
        known_rows=has_already,
        not_spent={currency: before[currency] - amount for currency, amount in cost.items()},
        children=tuple(children.items()),
        cost_with_children=cost_with_children(draft.blueprint, steps, children),
        lacking=seen.lacking,
        unread=tuple(column["name"] for column in draft.upload["columns"] if not column["field"]),
    )


def _cost(steps: Sequence[StepPlan]) -> dict[str, Decimal]:
    cost: dict[str, Decimal] = {}
    for step in steps:
        cost[step.currency] = cost.get(step.currency, Decimal(0)) + step.cost_at_most
    return cost


def _asking_as(pilot: dict[str, Any], blueprint: Blueprint) -> Blueprint:
    """The blueprint with what the pilot was launched with, which it keeps: what becomes of known leads."""
    return blueprint.model_copy(update={"known": Blueprint.model_validate(pilot["blueprint"]).known})


def unrecognised(draft: Draft) -> list[str]:
    """Why an upload cannot be launched: nobody knows what its columns are, or a step reads one that it has not.

    A column that a step reads by its name (`original['query']`) is as well known as one that is a field.
    """
    columns = draft.upload["columns"]
    by_name = {member for step in draft.blueprint.steps for member in columns_read(step.workflow)}
    if any(column["field"] or column["key"] in by_name for column in columns):
        return list(draft.misread)
    known = ", ".join(repr(column["key"]) for column in draft.upload["columns"][:10])
    return [f"no column of upload {draft.upload['id']} is recognised ({known}): map one, --map COLUMN=field"]


def draft_launch(
    connection: Connection,
    upload: int | str,
    pipeline: str,
    client: str | None,
    target: int | None = None,
    known: Known | None = None,
) -> Draft:
    """Find upload and pipeline, and build the blueprint. Arguments and errors as those of `plan_launch`."""
    return draft_of(connection, find_upload(connection, upload, client), pipeline, target, known)


def draft_of(
    connection: Connection,
    row: dict[str, Any],
    pipeline: str,
    target: int | None = None,
    known: Known | None = None,
) -> Draft:
    """`draft_launch` of an upload's row, which need not be kept: `id`, `client`, `client_id`, counts and `columns`."""
    definition = PipelineDefinition.model_validate(pipeline_row(connection, pipeline, row["client"])["definition"])
    if known is not None:
        definition = definition.model_copy(update={"known": known})
    wanted = set(definition.slugs())
    entries = registry_store.list_workflow_rows(connection)
    workflows = registry_store.readable_workflows(entries) | {
        entry["workflow_slug"]: registry_store.workflow_of(entry)
        for entry in entries
        if entry["workflow_slug"] in wanted
    }
    configs = registry_store.client_configs(connection, row["client_id"])
    blueprint = with_profile(
        build_blueprint(row["client"], definition, workflows, configs), profiles.told(connection, row["client_id"])
    )
    blueprint = with_target(blueprint, definition, target)
    if (system := systems().get(blueprint.system or "")) is not None:
        blueprint = with_phases(blueprint, system.phase_of())
    unread = _misread_columns(row, blueprint, workflows)
    return Draft(row, definition, blueprint, tuple(switched_off(definition, configs)), unread)


def _misread_columns(
    upload: Mapping[str, Any], blueprint: Blueprint, workflows: Mapping[str, WorkflowDefinition]
) -> tuple[str, ...]:
    """Columns that steps read by name and that neither the file nor an emitted object has, as sentences.

    What any registered workflow emits may be read by a step of a pipeline without it: its rows just have no such cell.
    """
    emitted: set[str] | None = set().union(*(emitted_by(workflow) or () for workflow in workflows.values()))
    if any(emitted_by(step.workflow) is None for step in blueprint.steps):
        emitted = None
    columns = [column["key"] for column in upload["columns"]]
    return tuple(fault for step in blueprint.steps for fault in column_faults(step.workflow, columns, emitted))


def find_upload(connection: Connection, upload: int | str, client: str | None) -> dict[str, Any]:
    """The upload's row by id or hash prefix, with its client's slug. Raises as `plan_launch`."""
    if client is not None:
        client_row(connection, client)
    text = str(upload).strip().lower()
    found = []
    if text.isdecimal() and len(text) < 18:
        found = store.uploads_by_id(connection, int(text), client)
    if not found and _HASH_PREFIX.fullmatch(text):
        found = store.uploads_by_hash(connection, text, client)
    if not found:
        whose = f" of client {client}" if client else ""
        raise NotFoundError(
            f"there is no upload {text!r}{whose}: give its id, or six or more digits of its SHA-256 (not archived)",
            code="upload.not_found",
        )
    if len(found) > 1:
        several = ", ".join(f"{row['id']} ({row['client']})" for row in found)
        raise ConfigurationError(
            f"{text!r} can be several uploads: {several}. Give the id of one",
            Hint(Action.NAME_CLIENT),
            code="upload.ambiguous",
        )
    return found[0]


def default_key(connection: Connection, draft: Draft) -> str:
    """The next free `<client>-<upload id>-<pipeline>-<n>`."""
    prefix = f"{draft.upload['client']}-{draft.upload['id']}-{draft.pipeline.slug}"
    return f"{prefix}-{store.next_batch_number(connection, prefix)}"
