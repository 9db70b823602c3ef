"""What is to be done about a lead at a destination, after what it says now and what stands there. Pure.

The same decision is made when leads are planned (it is what a dry run prints) and again just before one leaves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from enrichment_assets.domain.deliveries import Delivery, DeliveryState, OnChange, Write
from enrichment_assets.domain.expressions import blank


class Action(StrEnum):
    """What is to be done; `ask`: nobody knows whether it was made, and the destination can say."""

    CREATE = "create"
    UPDATE = "update"
    LEAVE = "leave"
    ASK = "ask"


class Left(StrEnum):
    """Why a lead is left alone or refused: the first word of a SKIPPED state's reason."""

    OPEN = "not_finished"
    """A step of the lead has not ended."""
    WHERE = "where"
    NOBODY = "no_identity"
    DOUBLE = "same_lead"
    MISSING = "missing_input"
    INVALID = "invalid_input"
    GATE = "gate"
    NOT_APPROVED = "not_approved"
    UNCHANGED = "unchanged"
    DELIVERED = "delivered_before"
    CHANGED = "changed_and_left"
    DELETED = "deleted_there"
    STOPPED = "stopped"
    SUPPRESSED = "suppressed"
    UNKNOWN = "unknown_fate"
    NOT_CHOSEN = "not_chosen"
    OUT_OF_SEQUENCE = "out_of_sequence"
    OUT_OF_DATE = "out_of_date"
    """Somebody corrected what it would say, after the plan that it belongs to."""


ALONE = frozenset({Left.UNCHANGED, Left.DELIVERED, Left.CHANGED})
"""These are left alone, for all is well; every other is refused."""


@dataclass(frozen=True, slots=True)
class There:
    """A row of `deliveries`: what stands for a lead at a destination.

    Attributes:
        id: Its number.
        key: Our key there.
        state: Where it stands.
        external_id: Its id there.
        generation: Calls about it that ended.
        is_new: Nothing was ever delivered of it.
        content: Hash of all that was written last; None: nothing was.
        read: Hash of what templates read beside the fields, as it was written last.
        written: Remote name -> value that was written last.
        intended: Remote name -> value that the call under way writes.
        reason: Why it is in its state.
        since: When it came to an unknown state.
        item_id: The lead that it was delivered from last.
    """

    id: int
    key: str
    state: DeliveryState
    external_id: str | None
    generation: int
    is_new: bool
    content: bytes | None = None
    read: bytes | None = None
    written: Mapping[str, Any] = field(default_factory=dict)
    intended: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    since: datetime | None = None
    item_id: int | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What a lead says to a destination now.

    Attributes:
        fields: Remote name -> value; None where the lead has none.
        read: Hash of what templates read beside them.
        whole: Hash of all of it.
    """

    fields: Mapping[str, Any]
    read: bytes
    whole: bytes


@dataclass(frozen=True, slots=True)
class Course:
    """What is to be done.

    Attributes:
        action: What.
        why: Why it is left alone.
        detail: More of that, in words.
        fields: Remote name -> value that is written now.
        field: Of one request per field: the one whose turn it is.
        is_last: With this request all is said.
    """

    action: Action
    why: Left | None = None
    detail: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    field: str | None = None
    is_last: bool = True

    @property
    def reason(self) -> str:
        """As a state keeps it."""
        word = self.why.value if self.why is not None else ""
        return f"{word}: {self.detail}" if self.detail else word


def left(why: Left, detail: str = "") -> Course:
    """The lead is left alone, or refused, for this reason."""
    return Course(Action.LEAVE, why, detail)


@dataclass(frozen=True, slots=True)
class Ways:
    """How a destination is written to again, worked out once per delivery.

    Attributes:
        updates: There is a request for all that changed, or creating does it (`upsert`).
        named: Fields that this request's templates name; None: it takes all of them.
        by_field: There is a request for one field.
    """

    updates: bool
    named: frozenset[str] | None
    by_field: bool


def course_of(
    delivery: Delivery, ways: Ways, content: Content, there: There | None, current: Mapping[str, Any] | None = None
) -> Course:
    """What is to be done about a lead.

    Args:
        delivery: The delivery's settings.
        ways: How it writes again.
        content: What the lead says.
        there: What stands for it there; None: nothing yet.
        current: What the destination has now, where it was read; None: it was not.
    """
    if there is None or (there.state is DeliveryState.REFUSED and there.is_new):
        return _creation(content)
    if there.state is DeliveryState.DELETED:
        return left(Left.DELETED, there.reason or "somebody took it away there")
    if there.state is DeliveryState.STOPPED:
        return left(Left.STOPPED, there.reason or "")
    if there.state is DeliveryState.UNKNOWN:
        if delivery.find is not None:
            return Course(Action.ASK)
        return left(Left.UNKNOWN, "an earlier call may have made it: a person has to look")
    if there.is_new:  # its call has not left, or another batch's is under way
        return _creation(content)
    if not delivery.compares:
        return left(Left.DELIVERED)
    if there.content == content.whole:
        return left(Left.UNCHANGED)
    if not delivery.updates:
        return left(Left.CHANGED, f"`on_change: {OnChange.SKIP.value}`")
    return _update(delivery, ways, content, there, current)


def _creation(content: Content) -> Course:
    fields = {name: value for name, value in content.fields.items() if value is not None}
    return Course(Action.CREATE, fields=fields)


def _update(
    delivery: Delivery, ways: Ways, content: Content, there: There, current: Mapping[str, Any] | None
) -> Course:
    changed = writable(delivery, content.fields, there.written, current)
    rest = [name for name in changed if not _taken(ways, name)]
    at_once = {name: value for name, value in changed.items() if _taken(ways, name)}
    if ways.updates and (at_once or there.read != content.read):
        return Course(Action.UPDATE, fields=at_once, is_last=not (rest and ways.by_field))
    if ways.by_field and rest:
        return Course(Action.UPDATE, fields={rest[0]: changed[rest[0]]}, field=rest[0], is_last=len(rest) == 1)
    return left(Left.UNCHANGED, "nothing that may be written there has changed")


def _taken(ways: Ways, name: str) -> bool:
    """Whether the request for all that changed takes this field."""
    if not ways.updates:
        return False
    return ways.named is None or name in ways.named or not ways.by_field


def writable(
    delivery: Delivery, fields: Mapping[str, Any], written: Mapping[str, Any], current: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The fields that are to be written where the lead is already: what changed, as far as its rule lets it.

    A value that was written and that the lead has no more is null: it is emptied there. Where the destination was read
    and has something else than we wrote last, a person has said so: it is left, whatever the rule.
    """
    found = {}
    for name, value in fields.items():
        rule, before = delivery.fields[name].write, written.get(name)
        if rule is Write.NEVER or value == before:
            continue
        if rule is Write.IF_EMPTY and (value is None or not blank(before if current is None else current.get(name))):
            continue
        if current is not None and name in current and not _same(current[name], before):
            continue
        found[name] = value
    return found


def theirs(
    delivery: Delivery, fields: Mapping[str, Any], written: Mapping[str, Any], current: Mapping[str, Any] | None
) -> list[str]:
    """Fields that the lead says otherwise than the destination, where somebody changed what we wrote."""
    if current is None:
        return []
    return [
        name
        for name, value in fields.items()
        if name in current
        and delivery.fields[name].write is Write.ALWAYS
        and not _same(current[name], written.get(name))
        and not _same(current[name], value)
    ]


def _same(one: Any, other: Any) -> bool:
    """Whether a destination's value is one of ours: nothing is nothing, however it is written."""
    return one == other or (blank(one) and blank(other))


def after_success(there: There, course: Course, content: Content, external_id: str | None) -> There:
    """What stands there once a request of this course was taken, for a run's memory."""
    return replace(
        there,
        state=DeliveryState.DELIVERED,
        external_id=external_id or there.external_id,
        generation=there.generation + 1,
        is_new=False,
        written={**there.written, **course.fields},
        content=content.whole if course.is_last else there.content,
        read=there.read if course.field is not None else content.read,
        intended={},
    )


def reason_in_words(reason: str) -> str:
    """`missing_input: company_name` as `missing input: company_name`: what stands behind the code is told as it is."""
    code, colon, detail = reason.partition(":")
    return f"{code.replace('_', ' ')}{colon}{detail}" if _CODE.fullmatch(code) else reason


_CODE = re.compile(r"[a-z_]+")
