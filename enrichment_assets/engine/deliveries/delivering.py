"""What a run keeps ready for a step that delivers: its requests, compiled, and what its lookups found there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from enrichment_assets.domain.deliveries import GateKind
from enrichment_assets.domain.delivery_courses import Course, course_of
from enrichment_assets.domain.delivery_requests import DeliveryRequests, names_of
from enrichment_assets.domain.provider import Provider
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.store.deliveries.planned import PlannedLead
from enrichment_assets.store.mail.turns import MailTurn


@dataclass
class Delivering:
    """A delivery, ready to run.

    Attributes:
        requests: Its requests beside the one that creates.
        contacts: It writes to people: whoever has answered is not written to.
        lookups: Name -> what was found there; None: nobody has asked yet.
        asking: Held while lookups are asked: once for all items of the run.
        turns: Item -> the place of its mail, once it was begun there; None: nothing of it leaves from mailboxes.
    """

    requests: DeliveryRequests
    provider: Provider
    contacts: bool
    lookups: Mapping[str, Any] | None = None
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    turns: dict[int, MailTurn] | None = None

    @classmethod
    def of(cls, workflow: WorkflowDefinition, provider: Provider) -> Delivering:
        """Compile it; raises `ConfigurationError`."""
        turns = None if provider.mailboxes is None else dict[int, MailTurn]()
        return cls(DeliveryRequests(workflow), provider, contacts_people(workflow, provider), turns=turns)


def next_course(delivering: Delivering, planned: PlannedLead) -> Course:
    """What is to be done about a planned lead now."""
    requests = delivering.requests
    return course_of(requests.delivery, requests.ways, planned.content, planned.there, planned.current)


def delivery_names(delivering: Delivering, planned: PlannedLead, course: Course | None = None) -> dict[str, Any]:
    """What templates see of a planned lead, for what is to be done about it (`course`: for this).

    Raises:
        ContractError: A value cannot be one of the remote field.
    """
    return names_of(
        planned.lead,
        course or next_course(delivering, planned),
        planned.there,
        key=planned.key,
        target=planned.target,
        lookups=delivering.lookups or {},
        provider=delivering.provider,
        rules=delivering.requests.delivery.fields,
        current=planned.current,
    )


def contacts_people(workflow: WorkflowDefinition, provider: Provider | None) -> bool:
    """Whether a delivery writes to people, so that the gate for contacts stands before it."""
    gate = None if workflow.delivery is None else workflow.delivery.gate
    if gate is not None:
        return gate is GateKind.CONTACT
    return provider is not None and provider.contacts
