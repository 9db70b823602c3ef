"""Which value of each field of an item counts: one rule for prompts, requests, deliveries and `final_leads`.

A person's correction comes first; then the merge policy (`domain.merge_policy`), the surer value and the later step.
When an answer arrived plays no part. Of addresses and numbers `domain.contacts` knows more. The models apply the same
rule in SQL (`lead_values.sql`), and tests hold that both choose the same values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from enrichment_assets.domain.companies import company_host
from enrichment_assets.domain.company_names import company_name_key
from enrichment_assets.domain.contacts import CONTACT_FIELDS, best_email, best_phone, may_call_person, same_number
from enrichment_assets.domain.merge_policy import Given, place
from enrichment_assets.domain.record_fields import ABOUT_EMAIL

RULE = 3
"""Number of this rule, kept with every call: by another one its request may have had other values (rule 1: those of
the latest step; rule 2: the type of a number that nobody gave). To be raised with every change by which `merge` chooses
otherwise."""

_ABOUT_THE_BEST = (*ABOUT_EMAIL, "phone_type", "phone_confidence", "phone_do_not_call")
"""Fields that say something of the one that counts, and nothing without it."""

_OF_UPLOADED_NUMBER = ("phone_country", "phone_extension")
"""What an uploaded row says of its own number, and of no other."""

_BLANKS = " \t\r\n"


class KnownContacts:
    """The contacts of one item as they were chosen last: most answers say nothing of them, and change no choice."""

    def __init__(self) -> None:
        self._saying: list[Given] = []
        self._chosen: dict[str, Any] = {}

    def of(self, saying: list[Given], now: datetime) -> Mapping[str, Any]:
        """The fields that make up address and number, out of those sources that say something of one."""
        if len(saying) != len(self._saying) or any(a is not b for a, b in zip(saying, self._saying, strict=True)):
            self._saying, self._chosen = saying, {**best_email(saying, now), **best_phone(saying, now)}
        return self._chosen


def merge(
    row: Mapping[str, Any], given: Sequence[Given], now: datetime, contacts: KnownContacts | None = None
) -> dict[str, Any]:
    """The fields of an item; one that a person emptied, and a number that may not be called, is null.

    Args:
        row: The item's own fields: they say which company it is of, and whether the person may be called.
        given: What each source gave, the item's own cells (`upload` or `parent`) among them.
        now: The time by which the age of answers counts: when the batch was launched; the same for an item always.
        contacts: Of this item, where it is merged more than once.
    """
    candidates: dict[str, list[Given]] = {}
    for one in given:
        elsewhere, is_human = not of_same_company(row, one), one.source.kind == "human"
        for name, value in one.fields.items():
            if not (is_human or filled(value)) or (elsewhere and name.startswith("company_")):
                continue  # what is of another company is never shown, so it is no candidate either
            if name in candidates:
                candidates[name].append(one)
            else:
                candidates[name] = [one]
    merged = {
        name: (sources[0] if len(sources) == 1 else _best(name, sources, now)).fields[name]
        for name, sources in candidates.items()
    }
    for name in _ABOUT_THE_BEST:
        merged.pop(name, None)
    if not CONTACT_FIELDS.isdisjoint(merged):
        saying = [one for one in given if not CONTACT_FIELDS.isdisjoint(one.fields)]
        merged.update((contacts or KnownContacts()).of(saying, now))
    if not may_call_person(row):
        flag = row["do_not_call"]
        merged["do_not_call"] = flag
        if "phone" in merged:
            merged.update(phone=None, phone_type=None, phone_confidence=None, phone_do_not_call=flag)
    return _without_details_of_another_number(merged, candidates, now)


def filled(value: Any) -> bool:
    """Whether this is a value at all: blanks are none."""
    return value is not None and not (isinstance(value, str) and not value.strip(_BLANKS))


def of_same_company(row: Mapping[str, Any], one: Given) -> bool:
    """False where an answer about the person names another company than the item's own row.

    The person has changed jobs, or is somebody else: what the answer says of that company is not about the row's.
    """
    if one.source.kind != "workflow" or not one.source.of_person:
        return True
    name, host = one.fields.get("company_name"), one.fields.get("company_domain")
    if not isinstance(name, str) and not isinstance(host, str):
        return True
    if (
        isinstance(name, str)
        and (known := company_name_key(row.get("company_name")))
        and (key := company_name_key(name))
    ):
        return key == known
    known_host = company_host(row)
    its_host = company_host({"company_domain": host}) if isinstance(host, str) else None
    if known_host is None or its_host is None:
        return True
    return known_host == its_host or known_host.endswith(f".{its_host}") or its_host.endswith(f".{known_host}")


def _best(name: str, sources: Sequence[Given], now: datetime) -> Given:
    """The source whose value of this field counts; nearly always there is only one."""
    if len(sources) == 1:
        return sources[0]

    def order(one: Given) -> tuple[Any, ...]:
        is_human = one.source.kind == "human"
        confidence = 1.0 if is_human else None
        rule = place(name, one, now, verified=False, confidence=confidence)
        return (not is_human, *rule, confidence is None, -one.source.position, one.source.workflow or "")

    return min(sources, key=order)


def _without_details_of_another_number(
    merged: dict[str, Any], candidates: Mapping[str, Sequence[Given]], now: datetime
) -> dict[str, Any]:
    """Another number has no extension of the uploaded one, nor its country."""
    uploaded = next((one for one in candidates.get("phone", ()) if one.source.kind == "upload"), None)
    if uploaded is not None and merged.get("phone") and same_number(merged["phone"], uploaded.fields["phone"]):
        return merged
    for name in _OF_UPLOADED_NUMBER:
        if name in candidates and _best(name, candidates[name], now).source.kind == "upload":
            del merged[name]
    return merged
