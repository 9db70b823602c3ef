"""What can be known to be wrong with a delivery before it is saved: names that no lead has, expressions, requests."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from enrichment_assets.domain.conditions import parse_conditions
from enrichment_assets.domain.deliveries import DELIVERY_ROOTS
from enrichment_assets.domain.delivery_rendering import FieldRenderer, TargetRenderer
from enrichment_assets.domain.delivery_requests import DeliveryRequests
from enrichment_assets.domain.known_names import ROOTS
from enrichment_assets.domain.name_checks import Fault
from enrichment_assets.domain.reads import Place, reads_of
from enrichment_assets.domain.suggestions import instead
from enrichment_assets.domain.templating import RequestRenderer
from enrichment_assets.domain.workflow import WorkflowDefinition


def lead_column_faults(workflow: WorkflowDefinition, columns: Collection[str]) -> Iterator[Fault]:
    """Columns that a delivery reads and no lead has.

    Args:
        workflow: Any; one that is no delivery has none.
        columns: Those of `final_leads`, declared ones included.
    """
    if (delivery := workflow.delivery) is None:
        return
    told = sorted(columns)
    named: list[tuple[Place, str]] = [
        (("delivery", "where", number), one.field) for number, one in enumerate(parse_conditions(delivery.where))
    ]
    named += [(("delivery", "identity", number), name) for number, name in enumerate(delivery.identity)]
    named += [(("delivery", "fields", name, "from"), one.source) for name, one in delivery.fields.items() if one.source]
    named += [(("requires",), name) for name in sorted(workflow.required_fields)]
    named += [(read.place, read.head) for read in reads_of(workflow) if read.head not in (*ROOTS, *DELIVERY_ROOTS)]
    for place, name in dict.fromkeys(named):
        if name not in columns:
            yield Fault(place, f"a lead has no column {name!r}: {instead(name, told)}")
    for read in reads_of(workflow):
        if read.head == "original":
            yield Fault(read.place, "a delivery reads leads, and no columns of an upload: `original` is not there")


def delivery_expressions(workflow: WorkflowDefinition) -> Iterator[tuple[Place, str]]:
    """The JMESPath expressions of a delivery, with their places."""
    if (delivery := workflow.delivery) is None:
        return
    for name, lookup in delivery.lookups.items():
        yield ("delivery", "lookups", name, "value"), lookup.value
    if delivery.find is not None:
        yield ("delivery", "find", "external_id"), delivery.find.external_id
        if delivery.find.current is not None:
            yield ("delivery", "find", "current"), delivery.find.current
    if delivery.read is not None:
        yield ("delivery", "read", "current"), delivery.read.current


def delivery_steps(workflow: WorkflowDefinition) -> list[Callable[[], object]]:
    """What compiles each part of a delivery; each raises `ConfigurationError` where it cannot."""
    if (delivery := workflow.delivery) is None:
        return []
    steps: list[Callable[[], object]] = [lambda: TargetRenderer(workflow), lambda: FieldRenderer(workflow)]
    steps.append(lambda: DeliveryRequests(workflow))
    for request in delivery.requests().values():
        steps.append(lambda request=request: RequestRenderer(workflow, request=request))  # type: ignore[misc]
    return steps


def shape_faults(workflow: WorkflowDefinition) -> Iterator[Fault]:
    """What a delivery reads and nothing gives it: the id of what stands there."""
    delivery = workflow.delivery
    if delivery is None or workflow.response.external_id is not None or delivery.find is not None:
        return
    for read in reads_of(workflow):
        if read.head == "delivery" and read.member == "external_id":
            yield Fault(
                read.place,
                "nothing says what id it has there: `response.external_id` (over the answer), or `delivery.find`",
            )
