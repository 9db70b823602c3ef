"""Which names there are: fields that uploads, the platform and workflows give, and members of the other things.

A name that is in none of these sets is a mistake, and the sets are what a suggestion is taken from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from enrichment_assets.domain.client_profiles import PROFILE
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.expression_trees import made_keys
from enrichment_assets.domain.expressions import Expression
from enrichment_assets.domain.field_types import FIELD_TYPES, FieldType, type_of
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.record_fields import ABOUT_EMAIL, EMAIL_RECORDS, PHONE_RECORDS
from enrichment_assets.domain.workflow import WorkflowDefinition

ROOTS = ("original", "item", "parameters", PROFILE, "callback_url", "external_id", "secrets", "members")
"""What templates see besides fields; conditions see the first four, and only a bulk call's request the last."""

ITEM_MEMBERS = ("id", "row_number", "parent_id", "batch", "client", "company_key")
"""`item` in templates and conditions (`engine.run.context`)."""

STORED_ITEM_MEMBERS = (
    "id", "client_id", "batch_id", "row_number", "parent_item_id", "origin_key", "company_key", *IDENTITY_FIELDS,
)  # fmt: skip
"""`item` in the columns of a destination: those of `batch_items` (`store.results.destinations`)."""

TEXT_PAYLOAD = frozenset({"text", "headers", "final_url"})
"""The payload of an answer with `response.format: text` (`domain.mapping`)."""

_DETAILS: Mapping[FieldType, tuple[str, ...]] = {
    FieldType.PHONE: ("type", "country", "extension"),
    FieldType.RANGE: ("min", "max", "currency"),
    FieldType.MONEY: ("currency", "range", "range_min", "range_max", "range_currency"),
    FieldType.YEAR: ("range", "range_min", "range_max"),
    FieldType.NUMBER: ("range", "range_min", "range_max"),
}

_JUDGED = frozenset({
    EMAIL_RECORDS, PHONE_RECORDS, *ABOUT_EMAIL, "phone_type", "phone_confidence",
    "phone_do_not_call", "do_not_call",
})  # fmt: skip
"""What is known of an address or number, whoever says it: an upload's columns too (`domain.uploaded_contacts`)."""


def with_details(fields: Iterable[str], types: Mapping[str, FieldType] | None = None) -> frozenset[str]:
    """The fields, and those that their values can say besides: `phone_country`, `company_employee_range_min`."""
    found = set()
    for name in fields:
        found.add(name)
        kind = type_of(name, types)
        if kind is FieldType.COUNT:
            ranged = f"{name.removesuffix('_count')}_range"
            found |= {ranged, f"{ranged}_min", f"{ranged}_max", f"{ranged}_currency"}
        found |= {f"{name}_{detail}" for detail in _DETAILS.get(kind, ())}
    return frozenset(found)


UPLOADED = with_details(IDENTITY_FIELDS) | _JUDGED
"""Fields that an item can have from its upload alone."""

PLATFORM = with_details(FIELD_TYPES) | UPLOADED
"""Every field that the platform gives a meaning to, whoever provides it."""


def given_by(workflow: WorkflowDefinition) -> frozenset[str]:
    """Fields that later steps can have from a workflow."""
    return with_details(workflow.provided_fields, workflow.types) | (_JUDGED if _says_of_contacts(workflow) else set())


def emitted_by(workflow: WorkflowDefinition) -> frozenset[str] | None:
    """Keys of the objects that a workflow emits, which children have in `original`; None: the answer decides them."""
    if workflow.emits is None:
        return frozenset()
    try:
        keys = made_keys(Expression(workflow.emits.items, "emits.items").tree)
    except ConfigurationError:
        return None
    return None if keys is None else frozenset(keys)


def vocabulary(workflows: Iterable[WorkflowDefinition]) -> frozenset[str]:
    """Every field that the platform or one of these workflows gives."""
    return PLATFORM.union(*(given_by(workflow) for workflow in workflows))


def _says_of_contacts(workflow: WorkflowDefinition) -> bool:
    return bool(workflow.emails or workflow.phones)
