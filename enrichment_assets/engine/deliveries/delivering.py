"""What a run keeps ready for a step that delivers: its requests, compiled, and what its lookups found there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from enrichment_assets.domain.deliveries import UNSUBSCRIBE, GateKind
from enrichment_assets.domain.delivery_courses import Course, course_of
from enrichment_assets.domain.delivery_requests import DeliveryRequests, names_of, place_of, remote_fields
from enrichment_assets.domain.provider import Provider, Seen
from enrichment_assets.domain.reads import reads_of
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.store.deliveries.planned import PlannedLead
from enrichment_assets.store.mail.turns import MailTurn


@dataclass
class Delivering:
    """A delivery, ready to run.

    Attributes:
        requests: Its requests beside the one that creates.
        contacts: It writes to people: whoever has answered is not written to.
        opts_out: Its creating request says the link to unsubscribe.
        lookups: Name -> what was found there; None: nobody has asked yet.
        asking: Held while lookups are asked: once for all items of the run.
        turns: Item -> the place of its mail, once it was begun there; None: nothing of it leaves from mailboxes.
    """

    requests: DeliveryRequests
    provider: Provider
    contacts: bool
    opts_out: bool = False
    lookups: Mapping[str, Any] | None = None
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    turns: dict[int, MailTurn] | None = None

    @classmethod
    def of(cls, workflow: WorkflowDefinition, provider: Provider) -> Delivering:
        """Compile it; raises `ConfigurationError`."""
        turns = None if provider.mailboxes is None else dict[int, MailTurn]()
        opts_out = any(read.head == UNSUBSCRIBE for read in reads_of(workflow))
        contacts = contacts_people(workflow, provider)
        return cls(DeliveryRequests(workflow), provider, contacts, opts_out, turns=turns)


def next_course(delivering: Delivering, planned: PlannedLead) -> Course:
    """What is to be done about a planned lead now; it is asked several times a call, of what a call alone changes."""
    by = (planned.there, planned.current, planned.left_out)
    if planned.course is not None and all(mine is its for mine, its in zip(by, planned.course[0], strict=True)):
        return planned.course[1]
    course = _course(delivering, planned)
    planned.course = (by, course)
    return course


def _course(delivering: Delivering, planned: PlannedLead) -> Course:
    requests, content = delivering.requests, planned.content
    if planned.left_out:
        taken = {name: value for name, value in content.fields.items() if name not in planned.left_out}
        content = replace(content, fields=taken)
    return course_of(requests.delivery, requests.ways, content, planned.there, planned.current)


def seen(delivering: Delivering, planned: PlannedLead) -> Seen:
    """What is known of the destination about a planned lead; raises `ContractError` where it has no place for it."""
    lookups = delivering.lookups or {}
    place = place_of(delivering.requests, planned.lead, lookups, planned.current)
    return Seen(lookups, place, planned.current)


def left_out(delivering: Delivering, planned: PlannedLead) -> dict[str, str]:
    """Fields that the destination does not take as they are, each with the reason; raises `ContractError`."""
    said = {name: value for name, value in planned.content.fields.items() if value is not None}
    found = remote_fields(delivering.requests, delivering.provider, said, planned.key, seen(delivering, planned))
    return {name: one.left_out for name, one in found.items() if one.left_out is not None}


def delivery_names(delivering: Delivering, planned: PlannedLead, course: Course | None = None) -> dict[str, Any]:
    """What templates see of a planned lead, for what is to be done about it (`course`: for this).

    Raises:
        ContractError: A value cannot be one of the remote field, or the destination has no place for the lead.
    """
    return names_of(
        delivering.requests,
        delivering.provider,
        planned.lead,
        course or next_course(delivering, planned),
        planned.there,
        key=planned.key,
        target=planned.target,
        seen=seen(delivering, planned),
        followed=planned.followed,
    )


def contacts_people(workflow: WorkflowDefinition, provider: Provider | None) -> bool:
    """Whether a delivery writes to people, so that the gate for contacts stands before it."""
    gate = None if workflow.delivery is None else workflow.delivery.gate
    if gate is not None:
        return gate is GateKind.CONTACT
    return provider is not None and provider.contacts
