"""Which e-mail address and which phone number of an item count, with all that anybody said of them.

Part of the one rule (`domain.merging`; the models apply it in SQL): a person's correction comes first; statements about
an address are pooled whoever made them; a bad one comes last, a number that may not be called never comes; then the
phone policy, the merge policy, confidence, the later step, the provider's own order, and the value. When an answer
arrived plays no part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from enrichment_assets.domain import contact_words as words
from enrichment_assets.domain.contact_records import Record, flat_record
from enrichment_assets.domain.emails import is_placeholder_email
from enrichment_assets.domain.merge_policy import Given, Source, place
from enrichment_assets.domain.record_fields import ABOUT_EMAIL, EMAIL_RECORDS, OF_ALL_SOURCES, PHONE_RECORDS

CONTACT_FIELDS = frozenset({"email", "phone", EMAIL_RECORDS, PHONE_RECORDS})
"""Fields that say which addresses and numbers somebody gave."""

DO_NOT_CALL_FLAG = "do_not_call"
"""Field of an uploaded row that is about the person: no number of theirs may be called."""

FINDER = "find-"
"""How the slug of a workflow begins that looks for an address without being told it.

One that is told it (Apollo's match by e-mail) gives it back, and that is no second finding.
"""

_ENOUGH_FINDERS = 2

_NOT_A_DIGIT = re.compile(r"\D")
_LAST = float("inf")
_ANY_TIME = datetime.min.replace(tzinfo=UTC)
"""One answer alone: its age ranks nothing."""


@dataclass(frozen=True, slots=True)
class _Statement:
    """One record, with who made it."""

    given: Given
    key: str
    record: Record

    @property
    def source(self) -> Source:
        return self.given.source


@dataclass(frozen=True, slots=True)
class _Judgement:
    """What counts of all statements about one address or number."""

    verdict: str | None
    confidence: float | None
    type: str = "other"
    do_not_call: str | None = None


@dataclass(frozen=True, slots=True)
class _Agreement:
    """How far the sources of one address agree about it.

    `sources_disagree`: some say that it can be written to and some that it cannot, or that nobody can tell. `finders`:
    providers that found it by themselves. `is_confirmed`: it was tried and nobody says otherwise, or its host takes
    mail for any name and two finders came to the same address.
    """

    sources_disagree: bool
    finders: int
    is_confirmed: bool


def may_call_person(row: Mapping[str, Any]) -> bool:
    """False where the row says that the person is not to be called, whatever the number."""
    flag = row.get(DO_NOT_CALL_FLAG)
    return flag is None or words.may_call(str(flag))


def same_number(one: str, other: str) -> bool:
    """Whether two numbers have the same digits."""
    return _key("phone", one) == _key("phone", other)


def best_of_answer(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The single fields that one answer's records make; whether sources agree is known of all of them together."""
    given = [Given(Source("workflow"), fields)]
    found = {**best_email(given, _ANY_TIME), **best_phone(given, _ANY_TIME)}
    return {name: value for name, value in found.items() if value is not None and name not in OF_ALL_SOURCES}


def best_email(given: Iterable[Given], now: datetime) -> dict[str, Any]:
    """`email` with what is known of it (`ABOUT_EMAIL`); nothing where nobody gave one, null where none counts."""
    given = list(given)
    nothing: dict[str, Any] = {"email": None, **dict.fromkeys(ABOUT_EMAIL)}
    if _is_emptied(given, "email"):
        return nothing
    statements = list(_statements(given, "email"))
    usable = [s for s in statements if s.record.get("role") is None and "rejected" not in s.record]
    if not usable:
        return {}
    judged = {key: _judge_email(s for s in statements if s.key == key) for key in {s.key for s in usable}}

    def order(statement: _Statement) -> tuple[Any, ...]:
        judgement = judged[statement.key]
        verified = judgement.verdict == words.VALID
        sure = judgement.confidence if judgement.confidence is not None else statement.record.get("confidence")
        rule = place("email", statement.given, now, verified=verified, confidence=sure)
        return (statement.source.kind != "human", words.is_bad(judgement.verdict), *rule, *_tail(statement, sure))

    best = usable[0] if len(usable) == 1 else min(usable, key=order)
    judgement = judged[best.key]
    if not words.is_shown(judgement.verdict):
        return nothing
    sure = judgement.confidence if judgement.confidence is not None else best.record.get("confidence")
    agreement = _agreement([s for s in statements if s.key == best.key], judgement.verdict)
    return {
        "email": best.record["address"],
        "email_verdict": judgement.verdict,
        "email_confidence": sure,
        "email_sources_disagree": agreement.sources_disagree,
        "email_finders": agreement.finders,
        "email_is_confirmed": agreement.is_confirmed,
    }


def best_phone(given: Iterable[Given], now: datetime) -> dict[str, Any]:
    """`phone` with its type, confidence and register's word; a `phone` of null where every number is suppressed."""
    given = list(given)
    if _is_emptied(given, "phone"):
        return {"phone": None, "phone_type": None, "phone_confidence": None, "phone_do_not_call": None}
    statements = list(_statements(given, "phone"))
    offered = [s for s in statements if s.record.get("role") is None and "rejected" not in s.record]
    if not offered:
        return {}
    judged = {key: _judge_phone(s for s in statements if s.key == key) for key in {s.key for s in offered}}

    def order(statement: _Statement) -> tuple[Any, ...]:
        judgement = judged[statement.key]
        sure = statement.record.get("confidence")
        rule = place("phone", statement.given, now, verified=judgement.verdict == words.VALID, confidence=sure)
        standing = words.phone_standing(judgement.verdict, judgement.type)
        is_human = statement.source.kind == "human"
        return (not is_human, words.is_bad(judgement.verdict), standing, *rule, *_tail(statement, sure))

    best = offered[0] if len(offered) == 1 else min(offered, key=order)
    judgement = judged[best.key]
    usable = words.is_shown(judgement.verdict)
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
        if flat is not None and one.source.kind == "human":
            flat["confidence"] = 1.0
        for record in declared or ([flat] if flat else []):
            if record.get(value) is not None:  # of somebody who was erased records may be left without an address
                yield _Statement(one, _key(field, record[value]), record)


def _is_emptied(given: Iterable[Given], field: str) -> bool:
    """Whether a person said that the field is to be empty."""
    return any(one.source.kind == "human" and field in one.fields and one.fields[field] is None for one in given)


def _key(field: str, value: str) -> str:
    return value.strip().lower() if field == "email" else _NOT_A_DIGIT.sub("", value)


def _judge_email(statements: Iterable[_Statement]) -> _Judgement:
    """The verdict that counts: of two verifiers who disagree the worse, so that the address is not written to.

    One that says something comes before one that does not, a verifier's before a finder's own.
    """

    def order(said: tuple[str, _Statement]) -> tuple[Any, ...]:
        verdict, statement = said
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

    saying = [(verdict, s) for s in statements if (verdict := _email_verdict(s)) is not None]
    if not saying:
        return _Judgement(None, None)
    verdict, best = saying[0] if len(saying) == 1 else min(saying, key=order)
    return _Judgement(verdict, best.record.get("confidence"))


def _agreement(statements: Iterable[_Statement], verdict: str | None) -> _Agreement:
    """What the sources of one address say of it together; `stg_contact_verdicts` is the same in SQL."""
    statements = list(statements)
    said = {
        (s.source.workflow or s.source.kind, words.email_standing(found))
        for s in statements
        if (found := _email_verdict(s)) is not None and words.says_something(found)
    }
    standings = {standing for _, standing in said}
    disagree = len(standings) > 1 and len({source for source, _ in said}) > 1
    finders = {
        s.source.provider or s.source.workflow
        for s in statements
        if (s.source.workflow or "").startswith(FINDER)
        and s.record.get("role") != "verdict"
        and "rejected" not in s.record
    }
    is_confirmed = words.BAD not in standings and (
        (verdict == words.VALID and not disagree)
        or (verdict in (words.VALID, words.ACCEPT_ALL) and len(finders) >= _ENOUGH_FINDERS)
    )
    return _Agreement(disagree, len(finders), is_confirmed)


def _email_verdict(statement: _Statement) -> str | None:
    if is_placeholder_email(statement.record["address"]):
        return words.PLACEHOLDER
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
