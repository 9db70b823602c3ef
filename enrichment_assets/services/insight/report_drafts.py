"""What was judged and written about a batch's leads, for the report: grades and why, drafts with their facts.

A lead is named by title and company, never by name; a draft may greet its reader.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

MOST_LEADS = 10
"""Judged leads that the report lists, the best first."""

MOST_DRAFTS = 2
MOST_REASONS = 2
"""Strengths, concerns and gaps of one lead, of each."""

GRADES = ("A", "B", "C", "D", "F")
_COLUMNS = (
    "title", "company_name", "lead_score", "lead_grade", "qualification_reason", "draft_subject", "draft_body",
    "linkedin_note", "linkedin_message",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draft:
    """One drafted message: `facts` are (number, text) of those that it says it used, in its order."""

    kind: str
    subject: str | None
    body: str
    facts: Sequence[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class JudgedLead:
    """One lead with its grade and why."""

    title: str
    company: str
    score: int
    grade: str
    reason: str
    strengths: Sequence[str]
    concerns: Sequence[str]
    missing: Sequence[str]
    drafts: Sequence[Draft] = field(default=())


@dataclass(frozen=True, slots=True)
class Judgement:
    """`grades`: grade -> leads, A first; `leads`: the best of them; `written`: the best of those with a draft."""

    grades: dict[str, int]
    leads: Sequence[JudgedLead]
    written: Sequence[JudgedLead]

    @property
    def judged(self) -> int:
        """How many leads have a grade."""
        return sum(self.grades.values())


def judgement(connection: duckdb.DuckDBPyConnection) -> Judgement:
    """What was judged and written, from `final_leads`; nothing where no workflow judged a lead."""
    named = {str(name) for (name,) in connection.execute("select column_name from (describe final_leads)").fetchall()}
    if not {"lead_score", "lead_grade"} <= named:
        return Judgement({}, (), ())
    counted = connection.execute("select lead_grade, count(*) from final_leads where lead_grade is not null group by 1")
    grades = {str(grade): int(count) for grade, count in counted.fetchall()}
    return Judgement(
        {grade: grades[grade] for grade in sorted(grades, key=_place)},
        [_lead(row) for row in _rows(connection, named, "lead_grade is not null", MOST_LEADS)],
        [
            _lead(row)
            for row in (
                _rows(connection, named, "coalesce(draft_body, linkedin_message) is not null", MOST_DRAFTS)
                if {"draft_body", "linkedin_message"} <= named
                else ()
            )
        ],
    )


def _rows(connection: duckdb.DuckDBPyConnection, named: set[str], condition: str, most: int) -> list[dict[str, Any]]:
    columns = [name if name in named else f"null as {name}" for name in _COLUMNS]
    result = connection.execute(
        f"select {', '.join(columns)}, other_fields from final_leads where {condition} "
        "order by lead_score desc nulls last, item_id limit ?",
        [most],
    )
    return [dict(zip([*_COLUMNS, "other_fields"], row, strict=True)) for row in result.fetchall()]


def _place(grade: str) -> tuple[int, str]:
    return (GRADES.index(grade) if grade in GRADES else len(GRADES), grade)


def _lead(row: dict[str, Any]) -> JudgedLead:
    others = _object(row["other_fields"])
    facts = _texts(others.get("facts"))
    mail = _draft("E-mail", row["draft_subject"], row["draft_body"], others.get("draft_facts"), facts)
    note = _draft("LinkedIn", None, row["linkedin_message"], others.get("linkedin_message_facts"), facts)
    return JudgedLead(
        title=row["title"] or "",
        company=row["company_name"] or "",
        score=row["lead_score"] or 0,
        grade=row["lead_grade"] or "",
        reason=row["qualification_reason"] or "",
        strengths=_texts(others.get("lead_strengths"))[:MOST_REASONS],
        concerns=_texts(others.get("lead_concerns"))[:MOST_REASONS],
        missing=_texts(others.get("missing_information"))[:MOST_REASONS],
        drafts=[draft for draft in (mail, note) if draft is not None],
    )


def _draft(kind: str, subject: str | None, body: str | None, used: Any, facts: Sequence[str]) -> Draft | None:
    if not body:
        return None
    numbers = [number for number in dict.fromkeys(_list(used)) if isinstance(number, int) and 1 <= number <= len(facts)]
    return Draft(kind, subject, body, [(number, facts[number - 1]) for number in numbers])


def _texts(value: Any) -> list[str]:
    return [member for member in _list(value) if isinstance(member, str)]


def _list(value: Any) -> list[Any]:
    """A list in `other_fields`, where it is JSON in a text."""
    found = _parsed(value)
    return found if isinstance(found, list) else []


def _object(value: Any) -> dict[str, Any]:
    found = _parsed(value)
    return found if isinstance(found, dict) else {}


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None
