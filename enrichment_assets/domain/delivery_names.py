"""Names that templates see in a delivery alone: `fields`, `key`, `target`, `delivery`, `lookups` and more."""

from __future__ import annotations

from enrichment_assets.domain.deliveries import DELIVERY_MEMBERS, DELIVERY_ROOTS, FIELD_MEMBERS, Delivery
from enrichment_assets.domain.delivery_lookups import lookup_order
from enrichment_assets.domain.reads import Place, Read
from enrichment_assets.domain.suggestions import instead
from enrichment_assets.domain.workflow import WorkflowDefinition


def delivery_name_fault(workflow: WorkflowDefinition, read: Read) -> str | None:
    """What is wrong with a name that belongs to deliveries alone; None: nothing, or it is no such name."""
    delivery = workflow.delivery
    if delivery is None or read.head not in DELIVERY_ROOTS:
        return None
    place, member = read.place, read.member
    if read.head == "field" and place[:2] != ("delivery", "field_update"):
        return "`field` is there only in `delivery.field_update`"
    if read.head == "each":
        lookup = delivery.lookups.get(str(place[2])) if place[:2] == ("delivery", "lookups") else None
        if lookup is None or lookup.each is None or place[3] == "each":
            return "`each` is there only in the request of a lookup that says `each`"
    if read.head == "place" and delivery.place is None:
        return "`place` is there only where the delivery says `place`"
    if read.head == "lookups":
        return _unknown_lookup(workflow, delivery, place, member)
    known = {"delivery": DELIVERY_MEMBERS, "field": FIELD_MEMBERS}.get(read.head)
    if known is not None and member is not None and member not in known:
        return f"`{read.head}` has no {member!r}: {instead(member, known)}"
    if read.head == "fields" and member is not None and member not in delivery.fields:
        return f"`fields` has no {member!r}: {instead(member, delivery.fields)}"
    return None


def _unknown_lookup(workflow: WorkflowDefinition, delivery: Delivery, place: Place, member: str | None) -> str | None:
    """A lookup is asked after those that it reads: two cannot wait for each other."""
    known = list(delivery.lookups)
    if place[:2] == ("delivery", "lookups"):
        order = lookup_order(workflow)
        if member in delivery.lookups and order.index(member) >= order.index(str(place[2])):
            return f"a lookup is asked after those that it reads, and {member!r} waits for this one"
    return None if member is None or member in known else f"`lookups` has no {member!r}: {instead(member, known)}"
