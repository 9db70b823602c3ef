"""The requests of a delivery beside the one that creates: compiled once per run, with what they are told. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.deliveries import DELIVERY_ROOTS, Change, DeliveredField, Delivery, Write
from enrichment_assets.domain.delivery_courses import Course, There, Ways
from enrichment_assets.domain.delivery_rendering import delivery_of
from enrichment_assets.domain.expressions import Expression
from enrichment_assets.domain.known_names import ROOTS
from enrichment_assets.domain.provider import Provider
from enrichment_assets.domain.reads import reads_of
from enrichment_assets.domain.templating import RequestRenderer
from enrichment_assets.domain.workflow import WorkflowDefinition


@dataclass(frozen=True, slots=True)
class Asking:
    """A request that changes nothing, and the expressions over its answer."""

    renderer: RequestRenderer
    expressions: Mapping[str, Expression]


class DeliveryRequests:
    """The compiled parts of a delivery.

    Raises:
        ConfigurationError: A template or expression cannot be compiled.
    """

    def __init__(self, workflow: WorkflowDefinition) -> None:
        self.delivery: Delivery = delivery_of(workflow)
        self.ways = ways_of(workflow)
        delivery = self.delivery
        self.lookups = {
            name: _asking(workflow, ("lookups", name), lookup.request, {"value": lookup.value})
            for name, lookup in delivery.lookups.items()
        }
        self.find: Asking | None = None
        self.read: Asking | None = None
        if (find := delivery.find) is not None:
            expressions = {"external_id": find.external_id, "current": find.current}
            self.find = _asking(workflow, ("find",), find.request, expressions)
        if (read := delivery.read) is not None:
            self.read = _asking(workflow, ("read",), read.request, {"current": read.current})
        self._update = _changing(workflow, delivery.update)
        self._field = _changing(workflow, delivery.field_update)

    def renders(self, course: Course, there: There | None) -> RequestRenderer | None:
        """What renders the request of this course; None: the one that creates."""
        if course.field is not None:
            return self._field
        return None if there is None or there.is_new else self._update


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


def names_of(
    lead: Mapping[str, Any],
    course: Course,
    there: There | None,
    *,
    key: str,
    target: str,
    lookups: Mapping[str, Any],
    provider: Provider,
    rules: Mapping[str, DeliveredField],
    current: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What templates see of a delivery, beside `item`, `parameters` and `client_profile`.

    Raises:
        ContractError: A value cannot be one of the remote field: a label that is no option of a drop-down.
    """
    remote = {name: provider.remote_field(name, value, lookups) for name, value in course.fields.items()}
    names = {
        **lead,
        "fields": {name: one.value for name, one in remote.items()},
        "remote_fields": [{"id": one.id, "value": one.value} for one in remote.values()],
        "key": key,
        "target": target,
        "lookups": lookups,
        "delivery": {
            "external_id": there.external_id if there is not None else None,
            "previous": dict(there.written) if there is not None else {},
            "current": current,
            "is_new": there is None or there.is_new,
            "if_empty": [name for name in remote if rules[name].write is Write.IF_EMPTY],
            "once": [name for name in remote if rules[name].write is Write.NEVER],
        },
    }
    if course.field is not None:
        one = remote[course.field]
        names["field"] = {"name": course.field, "value": one.value, "id": one.id, "remote": one.known}
    return names
