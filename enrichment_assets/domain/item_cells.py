"""Who gave the cells of an item: the uploaded row, or for a child item the workflow that emitted it, and its parent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment_assets.domain.field_types import FieldType, type_of
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.merge_policy import HUMAN_POSITION, Given, Source
from enrichment_assets.domain.merging import filled
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.values import clean
from enrichment_assets.domain.workflow import Entity

_SAID_OF_CONTACTS = (
    "email_status", "email_score", "email_verification_score", "phone_status", "phone_type", "phone_confidence",
    "phone_do_not_call",
)  # fmt: skip
"""What an emitted object says of its own address and number."""

ELEMENT_MEMBERS = (*IDENTITY_FIELDS, *_SAID_OF_CONTACTS)
"""Members of an emitted object that are looked at."""


@dataclass(frozen=True, slots=True)
class StepSources:
    """The steps of a blueprint as sources of values: slug -> source, and the types of the fields they declare."""

    sources: Mapping[str, Source]
    types: Mapping[str, FieldType]

    @classmethod
    def of(cls, blueprint: Blueprint) -> StepSources:
        """Of every step of the blueprint."""
        sources: dict[str, Source] = {}
        types: dict[str, FieldType] = {}
        for step in blueprint.steps:
            is_of_person = step.workflow.entity is Entity.PERSON
            provider, position = step.workflow.provider, step.position
            sources[step.slug] = Source("workflow", step.slug, provider, position, of_person=is_of_person)
            for name, kind in step.workflow.types.items():
                types.setdefault(name, kind)
        return cls(sources, types)

    def of_answer(self, slug: str, provider: str, position: int) -> Source:
        """The source of an answer that is kept; its provider is the one that gave it then."""
        known = self.sources.get(slug)
        return Source("workflow", slug, provider, position, of_person=known is None or known.of_person)

    def of_emitter(self, slug: str) -> Source:
        """The source of what a workflow emitted."""
        return self.sources.get(slug) or Source("workflow", slug)


def cells_of_row(row: Mapping[str, Any], uploaded_at: datetime) -> list[Given]:
    """The cells of an uploaded row, with what it says besides."""
    return [Given(Source("upload"), row, uploaded_at)]


def cells_of_child(
    identity: Mapping[str, Any],
    details: Mapping[str, Any],
    element: Mapping[str, Any],
    emitter: Source,
    emitted_at: datetime,
) -> list[Given]:
    """The cells of a child item: what the emitted object names itself is its emitter's, the rest its parent's.

    Args:
        identity: The child's identity fields.
        details: What its cells say besides.
        element: Members of the emitted object (`ELEMENT_MEMBERS`), as they came.
        emitter: The workflow that emitted it.
        emitted_at: When it did.
    """
    said = {name: element[name] for name in _SAID_OF_CONTACTS if filled(element.get(name))}
    own = {name: value for name, value in identity.items() if filled(element.get(name))}
    inherited = {name: value for name, value in identity.items() if name not in own}
    return [Given(Source("parent"), inherited, emitted_at), Given(emitter, {**said, **details, **own}, emitted_at)]


def corrections(
    edits: Mapping[str, str | None], row: Mapping[str, Any], types: Mapping[str, FieldType]
) -> Given | None:
    """What people corrected, the latest of each field, as values of the fields' types; null: it is to be empty.

    Args:
        edits: Field -> the value as text.
        row: The fields of the item's row: a number may be written in its country's way.
        types: Types of fields that workflows declare.
    """
    if not edits:
        return None
    fields = {name: None if text is None else _typed(name, text, row, types) for name, text in edits.items()}
    return Given(Source("human", position=HUMAN_POSITION), fields)


def _typed(name: str, text: str, row: Mapping[str, Any], types: Mapping[str, FieldType]) -> Any:
    """A checked text as a value again; one that an earlier version took for a value stays as it was written."""
    value = clean(name, text, row, type_of(name, types)).value
    return text if value is None else value
