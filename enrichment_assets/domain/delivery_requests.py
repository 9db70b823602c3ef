"""The requests of a delivery beside the one that creates: compiled once per run, with what they are told. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from enrichment_assets.domain.deliveries import DELIVERY_ROOTS, Change, Delivery, Write
from enrichment_assets.domain.delivery_courses import Course, There, Ways
from enrichment_assets.domain.delivery_lookups import lookup_order
from enrichment_assets.domain.delivery_rendering import compiled, delivery_of, evaluated
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.expressions import Expression
from enrichment_assets.domain.known_names import ROOTS
from enrichment_assets.domain.provider import Provider, RemoteField, Seen
from enrichment_assets.domain.reads import reads_of
from enrichment_assets.domain.template_expressions import Evaluate, as_text
from enrichment_assets.domain.templating import RequestRenderer
from enrichment_assets.domain.workflow import WorkflowDefinition


@dataclass(frozen=True, slots=True)
class Asking:
    """A request that changes nothing, and the expressions over its answer.

    `each`: a list, for each element of which it is asked. `or_else`: asked where the first answer gives nothing.
    """

    renderer: RequestRenderer
    expressions: Mapping[str, Expression]
    each: Evaluate | str | None = None
    or_else: RequestRenderer | None = None


class DeliveryRequests:
    """The compiled parts of a delivery.

    Raises:
        ConfigurationError: A template or expression cannot be compiled.
    """

    def __init__(self, workflow: WorkflowDefinition) -> None:
        self.delivery: Delivery = delivery_of(workflow)
        self.ways = ways_of(workflow)
        self.slug, self.parameters = workflow.slug, workflow.parameters
        delivery = self.delivery
        self.key_field = _key_field(workflow)
        self.place = None if delivery.place is None else compiled(workflow.slug, "place", delivery.place)
        self.lookups: dict[str, Asking] = {}
        for name in lookup_order(workflow):
            lookup = delivery.lookups[name]
            asking = _asking(workflow, ("lookups", name), lookup.request, {"value": lookup.value})
            if lookup.each is not None:
                asking = replace(asking, each=compiled(workflow.slug, f"lookups.{name}.each", lookup.each))
            self.lookups[name] = asking
        self.find: Asking | None = None
        self.read: Asking | None = None
        if (find := delivery.find) is not None:
            expressions = {"external_id": find.external_id, "current": find.current}
            self.find = _asking(workflow, ("find",), find.request, expressions)
            if find.or_else is not None:
                self.find = replace(self.find, or_else=RequestRenderer(workflow, request=find.or_else))
        if (read := delivery.read) is not None:
            self.read = _asking(workflow, ("read",), read.request, {"current": read.current})
        self._update = _changing(workflow, delivery.update)
        self._field = _changing(workflow, delivery.field_update)

    def renders(self, course: Course, there: There | None) -> RequestRenderer | None:
        """What renders the request of this course; None: the one that creates."""
        if course.field is not None:
            return self._field
        return None if there is None or there.is_new else self._update


def _key_field(workflow: WorkflowDefinition) -> str | None:
    """The remote field that holds our key, as the client's parameters say; None: there is none."""
    if (text := delivery_of(workflow).key_field) is None:
        return None
    named = evaluated(
        workflow.slug, "key_field", compiled(workflow.slug, "key_field", text), {"parameters": workflow.parameters}
    )
    return as_text(named).strip() or None


def _changing(workflow: WorkflowDefinition, change: Change | None) -> RequestRenderer | None:
    return None if change is None else RequestRenderer(workflow, request=change.request)


def _asking(
    workflow: WorkflowDefinition, place: Sequence[str], request: Any, expressions: Mapping[str, str | None]
) -> Asking:
    where = f"workflow {workflow.slug}, delivery.{'.'.join(place)}"
    compiled = {name: Expression(text, f"{where}.{name}") for name, text in expressions.items() if text is not None}
    return Asking(RequestRenderer(workflow, request=request), compiled)


def ways_of(workflow: WorkflowDefinition) -> Ways:
    """How a delivery writes to what is there already."""
    delivery = delivery_of(workflow)
    reads = [r for r in reads_of(workflow) if r.place[:2] == ("delivery", "update") and r.head in _OF_FIELDS]
    named: frozenset[str] | None = frozenset(read.member for read in reads if read.member is not None)
    if delivery.upsert or any(read.member is None for read in reads):
        named = None
    return Ways(delivery.upsert or delivery.update is not None, named, delivery.field_update is not None)


_OF_FIELDS = ("fields", "remote_fields")


def columns_written(workflow: WorkflowDefinition) -> list[str]:
    """Columns of the lead that the requests say themselves, beside `fields`: a change of one is news there too."""
    places = ("request", "bulk")
    found = [
        read.head
        for read in reads_of(workflow)
        if read.head not in (*ROOTS, *DELIVERY_ROOTS)
        and (read.place[0] in places or read.place[:2] == ("delivery", "update"))
    ]
    return list(dict.fromkeys(found))


def columns_needed(workflow: WorkflowDefinition) -> list[str]:
    """Every column of the lead that anything of a delivery reads once it is planned, in order."""
    delivery = delivery_of(workflow)
    found = [read.head for read in reads_of(workflow) if read.head not in (*ROOTS, *DELIVERY_ROOTS)]
    found += [one.source for one in delivery.fields.values() if one.source is not None]
    return list(dict.fromkeys([*delivery.identity, *sorted(workflow.required_fields), *found, *ALWAYS]))


ALWAYS = ("email", "linkedin_url", "first_name", "last_name", "full_name", "company_name", "company_domain", "country")
"""Columns by which people are known, stopped and shown, whether or not a template reads them."""


def place_of(
    requests: DeliveryRequests, lead: Mapping[str, Any], lookups: Mapping[str, Any], current: Mapping[str, Any] | None
) -> str | None:
    """In which place of the destination a lead is to be; None: the delivery does not say.

    Raises:
        ContractError: Its template fails for this lead, or gives nothing.
    """
    if requests.place is None:
        return None
    names = {**lead, "parameters": requests.parameters, "lookups": lookups, "delivery": {"current": current}}
    found = as_text(evaluated(requests.slug, "place", requests.place, names)).strip()
    if not found:
        raise ContractError(
            f"workflow {requests.slug}, delivery.place: the destination has no such place for this lead",
            code="delivery.no_place",
        )
    return found


def remote_fields(
    requests: DeliveryRequests, provider: Provider, fields: Mapping[str, Any], key: str, seen: Seen
) -> dict[str, RemoteField]:
    """What is sent for a lead's values, and for our key under its own name. Raises as `Provider.remote_field`."""
    own = requests.key_field
    return provider.remote_fields({**fields, **({own: key} if own is not None else {})}, seen)


def names_of(
    requests: DeliveryRequests,
    provider: Provider,
    lead: Mapping[str, Any],
    course: Course,
    there: There | None,
    *,
    key: str,
    target: str,
    seen: Seen,
    followed: str | None = None,
) -> dict[str, Any]:
    """What templates see of a delivery, beside `item`, `parameters` and `client_profile`.

    Raises:
        ContractError: A value cannot be one of the remote field: a label that is no option of a drop-down.
    """
    own, is_new = requests.key_field, there is None or there.is_new
    rules = requests.delivery.fields
    every = remote_fields(requests, provider, course.fields, key, seen)
    remote = {name: one for name, one in every.items() if one.left_out is None and (is_new or name != own)}
    names = {
        **lead,
        "fields": {name: one.value for name, one in remote.items()},
        "remote_fields": [{"id": one.id, "value": one.value} for one in remote.values()],
        "key": key,
        "key_id": None if own is None else every[own].id,
        "target": target,
        "place": seen.place,
        "lookups": seen.lookups,
        "delivery": {
            "external_id": there.external_id if there is not None else None,
            "previous": dict(there.written) if there is not None else {},
            "current": seen.current,
            "is_new": is_new,
            "followed": followed,
            "if_empty": [name for name in remote if name in rules and rules[name].write is Write.IF_EMPTY],
            "once": [name for name in remote if name in rules and rules[name].write is Write.NEVER],
        },
    }
    if course.field is not None:
        one = remote[course.field]
        names["field"] = {"name": course.field, "value": one.value, "id": one.id, "remote": one.known}
    return names
