"""Which leads of a batch go to a destination, and as what: worked out for all of them before anything leaves.

A dry run prints it; a delivery writes it down, lead by lead, and the engine does it. What the engine finds otherwise
when a lead's turn comes (somebody was stopped, another batch was there first) it decides again by the same rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from enrichment_assets.domain.conditions import Condition, parse_conditions
from enrichment_assets.domain.delivery_courses import ALONE, Action, Content, Course, Left, course_of, left
from enrichment_assets.domain.delivery_keys import Named, delivery_key, identities_of_lead
from enrichment_assets.domain.delivery_rendering import FieldRenderer, TargetRenderer, content_hash
from enrichment_assets.domain.delivery_requests import columns_needed, columns_written, ways_of
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.gate.rules import Refusal
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.pipeline import BlueprintStep
from enrichment_assets.engine.run.context import Batch
from enrichment_assets.services.deliveries.approving import Approving
from enrichment_assets.services.deliveries.lead_rows import LeadRow, lead_rows
from enrichment_assets.settings import Settings
from enrichment_assets.store.deliveries.planned import Asked, Found, PlanRow, known_leads
from enrichment_assets.store.hq import Hq

Refusing = Callable[[Sequence[LeadRow]], Mapping[int, str]]
"""Why leads of a piece may not go: item id -> reason."""


class Gated(Protocol):
    """What stands before a first contact: `services.deliveries.gate.Gate`."""

    @property
    def columns(self) -> frozenset[str]:
        """Columns of `final_leads` that it reads."""

    def refused(self, leads: Sequence[LeadRow]) -> Mapping[int, Sequence[Refusal]]:
        """Item -> why it may not be contacted, for those that may not."""


@dataclass(frozen=True, slots=True)
class PlannedOne:
    """One lead: its row in `final_leads`, what is to be done, and what a plan writes of it."""

    lead: LeadRow
    course: Course
    row: PlanRow


@dataclass
class Planner:
    """Plans one delivery of one batch.

    Attributes:
        conditions: Further ones of whoever asked.
        refusing: What else may refuse leads (suppressions, stops), in this order.
        gate: What stands before people who are contacted for the first time; None: nobody is.
    """

    hq: Hq
    settings: Settings
    batch: Batch
    step: BlueprintStep
    conditions: Sequence[Condition] = ()
    refusing: Sequence[Refusing] = ()
    gate: Gated | None = None
    _seen: dict[bytes, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Compile what every lead is held against."""
        workflow = self.step.workflow
        assert workflow.delivery is not None  # noqa: S101 - `Destinations.step` gives deliveries alone
        self._delivery = workflow.delivery
        self._where = parse_conditions(workflow.delivery.where)
        self._fields, self._target = FieldRenderer(workflow), TargetRenderer(workflow)
        self._ways = ways_of(workflow)
        self._needed = columns_needed(workflow)
        self._written = columns_written(workflow)
        self._approving = Approving(self.hq, self.batch, workflow, self._needed)
        self._simulated = bool(self.batch.blueprint.simulated)
        self._beside = {"parameters": workflow.parameters, "client_profile": self.batch.client_profile}

    def plan(self) -> Iterator[list[PlannedOne]]:
        """What is to be done about every lead of the batch, some thousands at a time."""
        asked = (one.field for one in (*self._where, *self.conditions))
        columns = {*self._needed, *asked, *self._approving.columns, *(self.gate.columns if self.gate else ())}
        for leads in lead_rows(self.settings, self.batch.client_slug, self.batch.batch_key, columns, self.step.slug):
            yield self._planned(leads)

    def _planned(self, leads: Sequence[LeadRow]) -> list[PlannedOne]:
        refused: dict[int, Course] = {}
        going: list[_Going] = []
        for lead in leads:
            one = self._considered(lead)
            if isinstance(one, Course):
                refused[lead.item_id] = one
            else:
                going.append(one)
        self._refuse(going, refused)
        asked = [one for one in going if one.lead.item_id not in refused]
        with self.hq.transaction() as connection:
            known = known_leads(
                connection,
                self.batch.client_id,
                self.step.slug,
                [Asked(one.lead.item_id, one.target, [named.sha256 for named in one.identities]) for one in asked],
                simulated=self._simulated,
            )
        decided = {one.lead.item_id: self._decided(one, found) for one, found in zip(asked, known, strict=True)}
        decided |= self._gated([one for one in decided.values() if one.course.action is Action.CREATE])
        return [decided.get(lead.item_id) or _refused(lead, refused[lead.item_id]) for lead in leads]

    def _considered(self, lead: LeadRow) -> _Going | Course:
        """What the lead says to the destination, or why it does not go whatever stands there."""
        if not lead.is_finished:
            return left(Left.OPEN)
        for condition in self.conditions:
            if not condition.holds(lead.values):
                return left(Left.NOT_CHOSEN, condition.said)
        for condition in self._where:
            if not condition.holds(lead.values):
                return left(Left.WHERE, condition.said)
        if missing := self.step.workflow.missing_requirements(lead.values):
            return left(Left.MISSING, ", ".join(missing))
        identities = identities_of_lead(self._delivery.identity, lead.values)
        if not identities:
            return left(Left.NOBODY, ", ".join(self._delivery.identity))
        names = {**lead.values, **self._beside}
        try:
            target, fields = self._target.render(names), self._fields.render(names)
        except ContractError as error:
            return left(Left.INVALID, str(error))
        read = content_hash({name: lead.values.get(name) for name in self._written})
        content = Content(fields, read, content_hash({"fields": fields, "read": read.hex()}))
        return _Going(lead, target, identities, content)

    def _refuse(self, going: Sequence[_Going], refused: dict[int, Course]) -> None:
        """Note who may not go: by what refuses leads, and for want of an approval."""
        for refusing in self.refusing:
            asked = [one.lead for one in going if one.lead.item_id not in refused]
            for item_id, reason in refusing(asked).items() if asked else ():
                word, _, detail = reason.partition(": ")
                refused[item_id] = left(Left(word), detail)
        asked = [one.lead for one in going if one.lead.item_id not in refused]
        for item_id, why in self._approving.missing(asked).items() if asked else ():
            refused[item_id] = left(Left.NOT_APPROVED, why)

    def _decided(self, one: _Going, found: Found | None) -> PlannedOne:
        first = one.identities[0]
        key = found.key if found is not None else self._key(one.target, first)
        other = self._seen.setdefault(bytes.fromhex(key), one.lead.item_id)
        if other != one.lead.item_id:
            return _refused(one.lead, left(Left.DOUBLE, f"as item {other}"))
        there = found.there if found is not None else None
        course = course_of(self._delivery, self._ways, one.content, there)
        if course.action is Action.LEAVE:
            return _refused(one.lead, course)
        lead = {name: value for name in self._needed if (value := one.lead.values.get(name)) is not None}
        row = PlanRow(
            item_id=one.lead.item_id,
            reason=None,
            key=key,
            target=one.target,
            identity=first.sha256,
            identity_field=first.column,
            identities=[named.sha256 for named in one.identities],
            lead=json_bytes(lead).decode(),
            fields=json_bytes(dict(one.content.fields)).decode(),
            content=one.content.whole,
            read=one.content.read,
            approvals=self._approving.of(one.lead.item_id),
        )
        return PlannedOne(one.lead, course, row)

    def _gated(self, first: Sequence[PlannedOne]) -> dict[int, PlannedOne]:
        """Leads that would go there for the first time, and that the gate refuses."""
        found = self.gate.refused([one.lead for one in first]) if self.gate is not None and first else {}
        return {
            one.lead.item_id: _refused(one.lead, left(Left.GATE, "; ".join(map(str, why))))
            for one in first
            if (why := found.get(one.lead.item_id))
        }

    def _key(self, target: str, first: Named) -> str:
        client = self.batch.client_slug
        return delivery_key(client, self.step.slug, target, first.sha256, simulated=self._simulated)


@dataclass(frozen=True, slots=True)
class _Going:
    """A lead that may go: where, as whom, and what it says."""

    lead: LeadRow
    target: str
    identities: Sequence[Named]
    content: Content


def _refused(lead: LeadRow, course: Course) -> PlannedOne:
    return PlannedOne(lead, course, PlanRow(lead.item_id, course.reason[:500], is_there=course.why in ALONE))
