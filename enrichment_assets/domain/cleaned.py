"""What a raw value came to: the clean one, or the reason why there is none. The words that `rejected` columns hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from enrichment_assets.domain.jsontext import json_bytes

MAX_KEPT = 200
"""Characters of a rejected value that are kept with its reason; the whole of it is in the cell or the answer."""


class Reason(StrEnum):
    """Why a value does not count as one of its field."""

    PLACEHOLDER = "placeholder"
    """`N/A`, `TBD`, `unknown`, `No LinkedIn found`, an address that was not revealed."""
    SELF_EMPLOYED = "self_employed"
    """Says that there is no employer, or not which."""
    NOT_AN_ADDRESS = "not_an_address"
    UNKNOWN_SUFFIX = "unknown_suffix"
    """A host below no top-level domain that exists, or a public suffix itself (`co.uk`)."""
    NOT_CALLABLE = "not_callable"
    """No number that can be dialled, or not in the country of its row."""
    NO_COUNTRY = "no_country"
    """A number without `+` in a row that names no country."""
    SPREADSHEET_NUMBER = "spreadsheet_number"
    """`1.4155E+10`: a spreadsheet kept the first digits only."""
    NOT_A_PROFILE = "not_a_profile"
    REMOVED_PAGE = "removed_page"
    """LinkedIn's page for one that is gone."""
    SHARED_HOST = "shared_host"
    """The host of a platform or of private mailboxes says nothing about a company."""
    WRONG_TYPE = "wrong_type"
    """A value of another kind: `true` for an address, a list for a title."""
    RANGE = "range"
    """A range where one number is asked for; it is kept as `company_employee_range` and the like."""
    SEVERAL = "several"
    """The first valid value of the cell counts; the others are further candidates."""
    NOT_GROUNDED = "not_grounded"
    """A model's value that stands in none of the inputs that it is said to come from (`domain.prompts.grounding`)."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a raw value came to.

    Attributes:
        value: The clean value; None: there is none.
        reason: Why the value, or a part of it, does not count; None: all of it does, or the raw value is blank.
        others: Further valid values of the same field (the second address of a cell), best first.
        details: Further fields that the value says (`phone_type`, `phone_extension`, `company_employee_range`).
    """

    value: Any = None
    reason: Reason | None = None
    others: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


NOTHING = Cleaned()
"""What a blank comes to."""


def rejection(raw: Any, cleaned: Cleaned) -> dict[str, Any] | None:
    """The entry for a `rejected` column: `value` (cut), `reason`, `others` where there are; None: nothing to say."""
    if cleaned.reason is None:
        return None
    value = raw if isinstance(raw, str | int | float) else json_bytes(raw).decode()
    kept = value[:MAX_KEPT] if isinstance(value, str) else value
    entry: dict[str, Any] = {"value": kept, "reason": cleaned.reason.value}
    return {**entry, "others": list(cleaned.others)} if cleaned.others else entry
