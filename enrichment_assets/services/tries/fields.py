"""The fields of one reading, each with its type, what the answer said, and what became of it. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.expressions import Expression
from enrichment_assets.domain.field_types import FieldType, type_of
from enrichment_assets.domain.workflow import WorkflowDefinition


@dataclass(frozen=True, slots=True)
class FieldReading:
    """One field.

    Attributes:
        answered: What the mapping picked out of the answer; None: nothing, or the field has no expression of its own
            (a detail of another, or the best of declared records).
        value: The normalised value that counts; None: there is none.
        rejected: Why what was answered, or a part of it, is no value (`not_an_address`); None: it is.
        others: Further values of the same field.
    """

    field: str
    type: FieldType
    answered: Any
    value: Any
    rejected: str | None
    others: tuple[Any, ...] = ()


def field_readings(
    workflow: WorkflowDefinition, payload: Any, fields: Mapping[str, Any], rejected: Mapping[str, Any]
) -> tuple[FieldReading, ...]:
    """Every field that the workflow maps or the reading has, in the order of `provides`, then the others."""
    names = dict.fromkeys([*workflow.provides, *fields, *rejected])
    found = []
    for name in names:
        entry = rejected.get(name) or {}
        answered = _answered(workflow, name, payload)
        if answered is None and name in rejected:
            answered = entry.get("value")
        if payload is None and name not in fields and not entry:
            continue
        found.append(
            FieldReading(
                name,
                type_of(name, workflow.types),
                answered,
                fields.get(name),
                entry.get("reason"),
                tuple(entry.get("others", ())),
            )
        )
    return tuple(found)


def _answered(workflow: WorkflowDefinition, name: str, payload: Any) -> Any:
    text = workflow.provides.get(name)
    if text is None or payload is None:
        return None
    try:
        return Expression(text, name)(payload)
    except ContractError:
        return None
