"""Which fields a batch's leads have beside the columns of `final_leads`: those of its own workflows.

`final_leads` has one set of columns for everybody, which workflows declare, and the rest as JSON (`other_fields`). Who
exports, explains or corrects a lead names a field of an own workflow like any other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from enrichment_assets.domain.field_types import FieldType, type_of
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.record_fields import ABOUT_EMAIL, is_record_field
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import Column, project_of
from enrichment_assets.warehouse.copies import brought
from enrichment_assets.warehouse.generations import ALL

TABLES_OF_THEIR_OWN = frozenset({"employment_history", "education"})
"""Lists that `person_work_history` and `person_education` have row by row."""

_SAID_OF_CONTACTS = frozenset({*ABOUT_EMAIL, "phone_status", "phone_type", "phone_confidence", "phone_do_not_call"})
"""What an answer says of an address or number: part of `email` and `phone` (docs/contacts.md), no value beside them."""


PROGRESS = frozenset(
    {"is_finished", "steps", "steps_found", "steps_not_found", "steps_skipped", "steps_failed", "steps_ambiguous",
     "steps_cancelled", "steps_open", "last_advanced_at"}
)  # fmt: skip
"""Columns of `final_leads` that say how far a lead is."""


def final_columns(settings: Settings) -> dict[str, Column]:
    """The columns of `final_leads` by name, those that workflows declare among them."""
    return {column.name: column for column in project_of(brought(settings, batch_key=ALL)).model("final_leads").columns}


def is_own(field: str, columns: Collection[str]) -> bool:
    """Whether a field has a value of its own that `final_leads` (`columns`) has no column for."""
    elsewhere = field in TABLES_OF_THEIR_OWN or field in _SAID_OF_CONTACTS or is_record_field(field)
    return field not in columns and not elsewhere


def own_fields(blueprint: Blueprint, columns: Collection[str]) -> dict[str, FieldType]:
    """The own fields that a batch's steps provide, in the order of the steps, each with its type."""
    fields: dict[str, FieldType] = {}
    for step in blueprint.steps:
        workflow = step.workflow
        for field in _in_order(workflow.provides, workflow.provided_fields):
            if is_own(field, columns):
                fields.setdefault(field, type_of(field, workflow.types))
    return fields


def _in_order(named: Iterable[str], every: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*named, *sorted(every)]))
