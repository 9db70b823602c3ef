"""Which e-mail address and which phone number of an item count, with all that anybody said of them.

One rule for what later steps see and for `final_leads` (the models apply it in SQL): statements about an address are
pooled whoever made them; a bad one comes last, a number that may not be called never comes; then the phone policy, the
merge policy, confidence, the later step, the provider's own order, and the value. When an answer arrived plays no part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from enrichment_assets.domain import contact_words as words
from enrichment_assets.domain.companies import company_host
from enrichment_assets.domain.company_names import company_name_key
from enrichment_assets.domain.contact_records import EMAIL_RECORDS, PHONE_RECORDS, Record, flat_record
from enrichment_assets.domain.merge_policy import Source, place

_CONTACT_FIELDS = frozenset({"email", "phone", EMAIL_RECORDS, PHONE_RECORDS})
DO_NOT_CALL_FLAG = "do_not_call"
"""Field of an uploaded row that is about the person: no number of theirs may be called."""

_ABOUT_THE_BEST = ("email_verdict", "email_confidence", "phone_type", "phone_confidence", "phone_do_not_call")
"""Fields that say something of the one that counts, and nothing without it."""

_NOT_A_DIGIT = re.compile(r"\D")
_LAST = float("inf")


@dataclass(frozen=True, slots=True)
class Given:
    """The fields that one source gave."""

    source: Source
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Statement:
    """One record, with who made it."""

    source: Source
    key: str
    record: Record


@dataclass(frozen=True, slots=True)
class _Judgement:
    """What counts of all statements about one address or number."""

    verdict: str | None
    confidence: float | None
    type: str = "other"
    do_not_call: str | None = None


def merge(given: Sequence[Given]) -> dict[str, Any]:
    """The fields that later steps see: those of later steps over those of earlier ones, address and number by the rule.

    Args:
        given: What each source gave, the upload first (as fields of its own), then steps in the order of the pipeline.
    """
    merged: dict[str, Any] = {}
    for one in given:
        if one.source.kind != "upload":
            merged.update(one.fields if of_same_company(given[0].fields, one) else _without_company(one.fields))
    if any(not _CONTACT_FIELDS.isdisjoint(one.fields) for one in given):
        for name in _ABOUT_THE_BEST:
            merged.pop(name, None)
        merged.update(best_email(given))
        merged.update(best_phone(given))
    flag = given[0].fields.get(DO_NOT_CALL_FLAG) if given else None
    if flag is not None and not words.may_call(str(flag)):
        merged.update(do_not_call=flag, phone=None, phone_type=None, phone_confidence=None, phone_do_not_call=flag)
    return merged


def of_same_company(uploaded: Mapping[str, Any], one: Given) -> bool:
    """False where an answer about the person names another company than the uploaded row.

    The person has changed jobs, or is somebody else: what the answer says of that company is not about the row's.
    """
    if not one.source.of_person:
        return True
    name, host = one.fields.get("company_name"), one.fields.get("company_domain")
    if isinstance(name, str) and (known := company_name_key(uploaded.get("company_name"))):
        return company_name_key(name) == known
    known_host = company_host(uploaded)
    its_host = company_host({"company_domain": host}) if isinstance(host, str) else None
    if known_host is None or its_host is None:
        return True
    return known_host == its_host or known_host.endswith(f".{its_host}") or its_host.endswith(f".{known_host}")


def _without_company(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if not name.startswith("company_")}


def best_of_answer(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The single fields that one answer's records make."""
    given = [Given(Source("workflow"), fields)]
    found = {**best_email(given), **best_phone(given)}
    return {name: value for name, value in found.items() if value is not None}


def best_email(given: Iterable[Given]) -> dict[str, Any]:
    """`email`, `email_verdict` and `email_confidence`; nothing where nobody gave an address."""
    statements = list(_statements(given, "email"))
    usable = [s for s in statements if s.record.get("role") is None and "rejected" not in s.record]
    if not usable:
        return {}
    judged = {key: _judge_email(s for s in statements if s.key == key) for key in {s.key for s in usable}}

    def order(statement: _Statement) -> tuple[Any, ...]:
        judgement = judged[statement.key]
        verified = judgement.verdict == words.VALID
        sure = judgement.confidence if judgement.confidence is not None else statement.record.get("confidence")
        rule = place("email", statement.source, verified=verified, confidence=sure)
        return (words.is_bad(judgement.verdict), *rule, *_tail(statement, sure))

    best = min(usable, key=order)
    judgement = judged[best.key]
    sure = judgement.confidence if judgement.confidence is not None else best.record.get("confidence")
    return {"email": best.record["address"], "email_verdict": judgement.verdict, "email_confidence": sure}


def best_phone(given: Iterable[Given]) -> dict[str, Any]:
    """`phone` with its type, confidence and register's word; a `phone` of null where every number is suppressed."""
    statements = list(_statements(given, "phone"))
    offered = [s for s in statements if s.record.get("role") is None and "rejected" not in s.record]
    if not offered:
        return {}
    judged = {key: _judge_phone(s for s in statements if s.key == key) for key in {s.key for s in offered}}

    def order(statement: _Statement) -> tuple[Any, ...]:
        judgement = judged[statement.key]
        sure = statement.record.get("confidence")
        rule = place("phone", statement.source, verified=False, confidence=sure)
        standing = words.phone_standing(judgement.verdict, judgement.type)
        return (words.is_bad(judgement.verdict), standing, *rule, *_tail(statement, sure))

    best = min(offered, key=order)
    judgement = judged[best.key]
    usable = not words.is_bad(judgement.verdict)
    return {
        "phone": best.record["number"] if usable else None,
        "phone_type": judgement.type if usable else None,
        "phone_confidence": best.record.get("confidence") if usable else None,
        "phone_do_not_call": judgement.do_not_call,
    }


def _statements(given: Iterable[Given], field: Literal["email", "phone"]) -> Iterable[_Statement]:
    records, value = (EMAIL_RECORDS, "address") if field == "email" else (PHONE_RECORDS, "number")
    for one in given:
        declared = one.fields.get(records)
        flat = None if declared else flat_record(field, one.fields)
        for record in declared or ([flat] if flat else []):
            yield _Statement(one.source, _key(field, record[value]), record)


def _key(field: str, value: str) -> str:
    return value.strip().lower() if field == "email" else _NOT_A_DIGIT.sub("", value)


def _judge_email(statements: Iterable[_Statement]) -> _Judgement:
    """The verdict that counts: of two verifiers who disagree the worse, so that the address is not written to.

    One that says something comes before one that does not, a verifier's before a finder's own.
    """

    def order(statement: _Statement) -> tuple[Any, ...]:
        verdict = _email_verdict(statement)
        return (
            not words.says_something(verdict),
            statement.record.get("role") != "verdict",
            words.severity(verdict),
            -statement.source.position,
            statement.source.workflow or "",
            statement.record.get("status", ""),
            (sub := statement.record.get("sub_status")) is None,
            sub or "",
            -statement.record.get("confidence", -_LAST),
        )

    saying = [s for s in statements if _email_verdict(s) is not None]
    if not saying:
        return _Judgement(None, None)
    best = min(saying, key=order)
    return _Judgement(_email_verdict(best), best.record.get("confidence"))


def _email_verdict(statement: _Statement) -> str | None:
    return words.email_verdict(statement.record.get("status"), statement.record.get("sub_status"))


def _judge_phone(statements: Iterable[_Statement]) -> _Judgement:
    """Who may not be called is not called, whoever says so; the kind of number is the latest step's word for it."""
    said = [(-s.source.position, s.source.workflow or "", s.record) for s in statements]
    registered = [(words.may_call(w), place, slug, w) for place, slug, r in said if (w := r.get("do_not_call"))]
    kinds = [(place, slug, k) for place, slug, r in said if (k := words.phone_type(r.get("type"))) != "other"]
    known = {words.phone_verdict(r.get("status"), r.get("do_not_call")) for _, _, r in said} - {None}
    verdict = min(known, key=words.severity, default=None)
    return _Judgement(verdict, None, min(kinds)[2] if kinds else "other", min(registered)[3] if registered else None)


def _tail(statement: _Statement, confidence: float | None) -> tuple[Any, ...]:
    return (
        -confidence if confidence is not None else _LAST,
        -statement.source.position,
        statement.record.get("rank", _LAST),
        statement.key,
    )
