"""What makes a workflow a delivery: which leads go to one destination, as what, and when they go again.

    phase: delivery
    delivery:
      where: icp_score >= 70
      identity: [email, linkedin_url]
      fields:
        Email: email
        Phone: {from: phone, write: if_empty}
        Name: {value: "{{ full_name }} | {{ company_name }}"}
      update: {request: {method: PUT, url: "/contacts/{{ delivery.external_id }}", body: "{{ fields }}"}}

A delivery reads leads (rows of `final_leads`), never the rows of an upload. `request` of the workflow creates what
stands for a lead there; what belongs here says who goes, and how the same lead goes a second time (docs/delivery.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, field_validator, model_validator

from enrichment_assets.domain.client_slugs import SLUG_PATTERN
from enrichment_assets.domain.conditions import parse_conditions
from enrichment_assets.domain.delivery_events import EventKind
from enrichment_assets.domain.durations import Seconds
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.parts import Identifier, Part
from enrichment_assets.domain.request_template import RequestTemplate


class WorkflowPhase(StrEnum):
    """What a workflow is for. Deliveries run after extraction, over leads."""

    ENRICHMENT = "enrichment"
    DELIVERY = "delivery"


class Approval(StrEnum):
    """What a person must have said before a lead leaves."""

    NONE = "none"
    LEAD = "lead"
    """They approved a draft of this lead once; what it says now may be another."""
    EXACT = "exact"
    """They approved exactly the bytes of every draft that leaves."""


class OnChange(StrEnum):
    """What becomes of a lead that was delivered before."""

    UPDATE = "update"
    """What changed is written there."""
    SKIP = "skip"
    """It is left alone, and the list says that it changed."""
    NEVER = "never"
    """Nobody compares: it went once, as a mail does."""


class Write(StrEnum):
    """When a field is written there."""

    ALWAYS = "always"
    IF_EMPTY = "if_empty"
    """At creation, and later only where the destination has no value for it."""
    NEVER = "never"
    """Only at creation."""


class GateKind(StrEnum):
    """Which rules stand before it: `contact` where somebody is written to, `none` where a system keeps the lead."""

    CONTACT = "contact"
    NONE = "none"


class DeliveryState(StrEnum):
    """Where what stands for a lead at a destination stands."""

    INTENDED = "intended"
    """A call about it may be under way."""
    DELIVERED = "delivered"
    UNKNOWN = "unknown"
    """A call was made, and nobody knows what came of it: the destination is asked, or a person."""
    REFUSED = "refused"
    """The destination would not have it; nothing is there."""
    DELETED = "deleted"
    """It was there, and somebody took it away: it is not made again without a person's word."""
    STOPPED = "stopped"
    """A person said that nothing more goes there."""


DELIVERY_POSITION = 10_000
"""Positions of states from here on are deliveries', behind every step of a pipeline."""

UNSUBSCRIBE = "unsubscribe_url"
DELIVERY_ROOTS = (
    *("fields", "remote_fields", "key", "key_id", "target", "place", "delivery", "lookups", "field", "each"),
    UNSUBSCRIBE,
)
"""What templates of a delivery see besides the lead's columns, `item`, `parameters` and `client_profile`.

`unsubscribe_url` is the link by which the lead's address says stop (`domain.mail.opt_out`), in the creating request.
`key` is ours for what stands for the lead there, the same for each of its calls. `fields` are those that are written
now, by name; `remote_fields` the same as a list of `{id, value}`, where the lookups know ids of the destination's.
`key_id` is the id of the field that holds our key, `each` the element for which a lookup is asked.
"""

DELIVERY_MEMBERS = ("external_id", "previous", "current", "is_new", "if_empty", "once", "followed")
"""Of `delivery`: the id there, what was written last, what `read` found there now, whether it is made now; and names of
the `fields` of this request that are written where nothing stands (`if_empty`), and at creation alone (`once`); the id
of what it `follows`, at that destination (`followed`)."""

FIELD_MEMBERS = ("name", "value", "id", "remote")
"""Of `field` in `field_update`: its name there, its value, its id and all else that the lookups know of it."""


class DeliveredField(Part):
    """Where the value of one remote field comes from, and when it is written."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    source: Identifier | None = Field(default=None, alias="from", description="a column of final_leads")
    value: str | None = Field(default=None, description="a template over the lead's columns, instead of `from`")
    write: Write = Write.ALWAYS

    @model_validator(mode="after")
    def _comes_from_somewhere(self) -> DeliveredField:
        if (self.source is None) == (self.value is None):
            raise ValueError("a field has either `from: a column of the lead`, or `value: a template`")
        return self


def _long(value: object) -> object:
    """`Email: email` is short for `Email: {from: email}`."""
    return {"from": value} if isinstance(value, str) else value


class Lookup(Part):
    """What is asked once per run: templates see the value as `lookups.<name>`, later lookups among them.

    With `each` it is asked for each element of a list, which the request sees as `each`; the value is then a list of
    `{of: element, value: ...}`.
    """

    request: RequestTemplate
    each: str | None = Field(default=None, description="a template over lookups and parameters: a list")
    value: str = Field(default="@", description="JMESPath over the answer")


class Find(Part):
    """How a destination is asked for what carries our key, after an answer that was lost."""

    request: RequestTemplate
    or_else: RequestTemplate | None = Field(
        default=None, description="asked where the first finds nothing: archived records, as ClickUp lists them apart"
    )
    external_id: str = Field(description="JMESPath over the answer: its id there; null: it was not made")
    current: str | None = Field(default=None, description="JMESPath: the remote values by the names of `fields`")
    settles: Seconds = Field(
        default=30.0, description="how long its index may lag: that nothing is found counts only after this time"
    )


class ReadBack(Part):
    """How what stands there now is read before an update: for `write: if_empty`, and to see what was deleted."""

    request: RequestTemplate
    current: str = Field(default="@", description="JMESPath: the remote values by the names of `fields`")


class Change(Part):
    """A request that changes what stands there."""

    request: RequestTemplate


class Follows(Part):
    """A step of a sequence: it goes after another delivery of the same lead, and not before.

    With `status` it goes once the record of that delivery was moved to one of these statuses, and stands there; with
    `event` once such a thing came back of the lead: what a person does there starts something, as data.
    """

    delivery: Annotated[str, Field(pattern=SLUG_PATTERN)]
    wait: Seconds = Field(default=0.0, description="from when the other one was delivered, or from what it waits for")
    status: Annotated[list[str], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)] = Field(
        default_factory=list, max_length=20, description="statuses there, whatever their case"
    )
    event: EventKind | None = Field(default=None, description="a kind of what comes back, as `replied`")

    @model_validator(mode="after")
    def _waits_for_one(self) -> Follows:
        if self.status and self.event is not None:
            raise ValueError("it waits for a `status` or for an `event`, not for both")
        return self

    @property
    def waits(self) -> str | None:
        """What it waits for besides the other delivery, in words; None: nothing."""
        if self.event is not None:
            return f"waits for {self.event.value.replace('_', ' ')}"
        return f"waits until it is {' or '.join(self.status)}" if self.status else None


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Delivery(Part):
    """Which leads go to a destination, as what, and when they go again (docs/delivery.md)."""

    where: Annotated[list[str], BeforeValidator(_listed)] = Field(
        default_factory=list, max_length=50, description="conditions over the lead that all have to hold"
    )
    approval: Approval | None = Field(
        default=None, description="null: `exact` where a field comes from a draft, else `none`"
    )
    identity: Annotated[list[Identifier], BeforeValidator(_listed)] = Field(
        default_factory=lambda: ["email", "linkedin_url"],
        min_length=1,
        max_length=10,
        description="columns of which the first that has a value says who a lead is there",
    )
    target: str = Field(
        default="", description="a template over parameters and the lead: tells two places of one destination apart"
    )
    place: str | None = Field(
        default=None,
        description="a template over lookups and the lead: in which place of the destination it is made; unlike "
        "`target` it does not say who a lead is there: one that moves is the same",
    )
    key_field: str | None = Field(
        default=None, description="a template over parameters: the remote field that holds our key, written at creation"
    )
    on_change: OnChange | None = Field(default=None, description="null: `update` where a request says how, else `skip`")
    fields: dict[str, Annotated[DeliveredField, BeforeValidator(_long)]] = Field(
        default_factory=dict, max_length=500, description="the remote name -> where its value comes from"
    )
    lookups: dict[Identifier, Lookup] = Field(default_factory=dict, max_length=20)
    find: Find | None = None
    read: ReadBack | None = None
    update: Change | None = None
    field_update: Change | None = Field(default=None, description="one request for each field that changed")
    upsert: bool = Field(
        default=False, description="the creating request changes what has our key or identity: it updates too"
    )
    follows: Follows | None = None
    gate: GateKind | None = Field(default=None, description="null: `contact` where the provider writes to people")

    @field_validator("where")
    @classmethod
    def _are_conditions(cls, value: list[str]) -> list[str]:
        try:
            parse_conditions(value)
        except ConfigurationError as error:
            raise ValueError(str(error)) from None
        return value

    @field_validator("identity")
    @classmethod
    def _each_once(cls, value: list[str]) -> list[str]:
        if twice := next((name for name in value if value.count(name) > 1), None):
            raise ValueError(f"{twice} stands twice")
        return value

    @model_validator(mode="after")
    def _goes_together(self) -> Delivery:
        ways = [name for name in ("update", "field_update") if getattr(self, name) is not None]
        if self.upsert and ways:
            raise ValueError(f"`upsert: true` says that the creating request updates too: remove `{ways[0]}`, or it")
        if self.on_change is OnChange.UPDATE and not (ways or self.upsert):
            raise ValueError(
                "`on_change: update` needs to know how: say `update`, `field_update`, or `upsert: true` where the "
                "creating request finds what is there by itself"
            )
        if self.field_update is not None and not self.fields:
            raise ValueError("`field_update` writes the changed ones of `fields`, and there are none")
        return self

    @property
    def updates(self) -> bool:
        """Whether a lead that changed is written there again."""
        if self.on_change is not None:
            return self.on_change is OnChange.UPDATE
        return self.upsert or self.update is not None or self.field_update is not None

    @property
    def compares(self) -> bool:
        """Whether anybody looks if a delivered lead changed."""
        return self.on_change is not OnChange.NEVER

    def requests(self) -> Mapping[tuple[str, ...], RequestTemplate]:
        """Every request of it, by its place below the workflow."""
        found: dict[tuple[str, ...], RequestTemplate] = {
            ("delivery", "lookups", name, "request"): one.request for name, one in self.lookups.items()
        }
        for name in ("find", "read", "update", "field_update"):
            if (part := getattr(self, name)) is not None:
                found["delivery", name, "request"] = part.request
        if self.find is not None and self.find.or_else is not None:
            found["delivery", "find", "or_else"] = self.find.or_else
        return found


_ALONE = ("prompt", "review", "emits", "run_if", "reuse_for", "destination", "stage")
"""What a delivery has no use for."""

_INSTEAD = {"run_if": "; say it as `delivery.where`"}


def delivery_fault(workflow: Any) -> str | None:
    """What of a `WorkflowDefinition` cannot stand beside its `delivery`, or without one; None: nothing."""
    if workflow.phase is not WorkflowPhase.DELIVERY:
        return None if workflow.delivery is None else "`delivery` needs `phase: delivery`"
    if workflow.delivery is None:
        return "a workflow of `phase: delivery` says under `delivery` which leads go there"
    if workflow.request is None:
        return "a delivery needs a `request`: it makes what stands for a lead there"
    if workflow.entity.value != "person":
        return "a delivery is about a lead: leave `entity` out"
    for name in _ALONE:
        if getattr(workflow, name) is not None:
            return f"a delivery has no `{name}`{_INSTEAD.get(name, '')}"
    for name in ("provides", "emails", "phones", "drafts", "not_for"):
        if getattr(workflow, name):
            return f"a delivery learns nothing of a lead: remove `{name}`"
    if workflow.bulk is not None and workflow.bulk.missing == "not_found":
        return "what a destination says nothing about was not delivered: remove `bulk.missing`"
    return None
