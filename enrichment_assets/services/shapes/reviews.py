"""Reviews: drafts, what people said of them, and what people are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from enrichment_assets.services.shapes.shape import FLAT, Shape

if TYPE_CHECKING:
    from enrichment_assets.services.review.asking import Question
    from enrichment_assets.services.review.listing import Found, Reviewed
    from enrichment_assets.store.review import approvals


@dataclass(frozen=True, slots=True)
class Review(Shape):
    """A draft and where it stands.

    Attributes:
        review: What commands call it: item and workflow, as `17/personalise-email`.
        batch: The batch's key.
        client: The client's slug.
        item_id: The lead's item.
        workflow: Whose draft it is.
        state: `waiting`, `approved`, `rejected` or `outdated`.
        changed: Of an outdated one: what is another one since it was approved: `draft`, `facts`, `template`.
        person: The lead's name, where it has one.
        company: The lead's company, where it has one.
        grade: The lead's grade, where it has one.
        sha256: Of the exact bytes that an approval is of.
        decided_by: Who spoke of it last; null: nobody.
        decided_at: When.
        note: Why, where somebody said it.
        gate: Why a mail to the lead would be refused now; of a lead that was not extracted yet nothing is said.
    """

    review: str
    batch: str
    client: str
    item_id: int
    workflow: str
    state: str
    changed: tuple[str, ...]
    person: str | None
    company: str | None
    grade: str | None
    sha256: str
    decided_by: str | None
    decided_at: datetime | None
    note: str | None
    gate: tuple[str, ...]

    @classmethod
    def of(cls, one: Reviewed, gate: tuple[str, ...] = ()) -> Review:
        """From what the services return."""
        lead, said = one.draft.lead, one.approval
        return cls(
            one.name,
            one.batch,
            one.client,
            one.draft.item_id,
            one.draft.workflow,
            one.standing.value,
            one.changed,
            one.person,
            _text(lead.get("company_name")),
            one.grade,
            one.draft.of.draft.hex(),
            None if said is None else said.actor,
            one.decided_at,
            None if said is None else said.note,
            gate,
        )


@dataclass(frozen=True, slots=True)
class ReviewDecision(Shape):
    """What somebody said of a draft.

    Attributes:
        id: Its number: a delivery names the approval's.
        decision: `approved` or `rejected`.
        sha256: Of the bytes that it was said of.
        actor: Who said so.
        note: Why, where somebody said it.
        at: When.
    """

    id: int
    decision: str
    sha256: str
    actor: str
    note: str | None
    at: datetime

    @classmethod
    def of(cls, one: approvals.Approval) -> ReviewDecision:
        """From what the store returns."""
        return cls(one.id, one.decided.decision.value, one.decided.of.draft.hex(), one.actor, one.note, one.at)


@dataclass(frozen=True, slots=True)
class ReviewDetail(Shape):
    """A draft with what it says, what it rests on, and all that was said of it; the keys of Review are its own.

    Attributes:
        review: The draft and where it stands.
        draft: Its fields.
        facts: The lead's fields that its workflow reads.
        decisions: What was said of it, the latest first.
    """

    review: Review = field(metadata=FLAT)
    draft: Mapping[str, Any]
    facts: Mapping[str, Any]
    decisions: tuple[ReviewDecision, ...]

    @classmethod
    def of(cls, found: Found) -> ReviewDetail:
        """From what the services return."""
        one = found.reviewed
        return cls(Review.of(one), one.draft.values, one.draft.facts, tuple(map(ReviewDecision.of, found.history)))


@dataclass(frozen=True, slots=True)
class ReviewChange(Shape):
    """What a decision came to.

    Attributes:
        decision: `approved` or `rejected`.
        drafts: How many drafts it is of.
    """

    decision: str
    drafts: int


@dataclass(frozen=True, slots=True)
class ReviewQuestion(Shape):
    """What a pipeline asks a person about a lead.

    Attributes:
        review: What commands call it: item and workflow, as `17/review-lead`.
        batch: The batch's key.
        client: The client's slug.
        item_id: The lead's item.
        workflow: The step that asks.
        question: What is asked.
        shows: The lead's fields that are shown.
        answer: JSON Schema of the answer.
        asked_at: Since when.
        answered: Somebody has answered, and it is not taken in yet.
    """

    review: str
    batch: str
    client: str
    item_id: int
    workflow: str
    question: str
    shows: Mapping[str, Any]
    answer: Mapping[str, Any]
    asked_at: datetime
    answered: bool

    @classmethod
    def of(cls, one: Question, *, answered: bool | None = None) -> ReviewQuestion:
        """From what the services return."""
        return cls(
            one.name,
            one.batch,
            one.client,
            one.item_id,
            one.workflow,
            one.question,
            one.shows,
            one.answer,
            one.asked_at,
            one.answered if answered is None else answered,
        )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
