"""Careers: 3 to 8 jobs with the flaws that real ones have, education entries mixed in.

The flaws are the point: dates that are a year or a month, a start that is missing, an end before its start, two
current jobs or none, the same entry twice.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from enrichment_assets.sandbox.companies import Company, invented_employer
from enrichment_assets.sandbox.dice import Dice, hex_id
from enrichment_assets.sandbox.words import AS_OF_YEAR, DEGREES, DEPARTMENTS, MAJORS, UNIVERSITIES


class Job(NamedTuple):
    """One entry of an employment history. Dates are `2019`, `2019-03`, `2019-03-01` or None.

    `kind` is `education` (then `degree` and `major` say what) or None for a job.
    """

    id: str
    organization_id: str | None
    organization_name: str
    title: str | None
    start: str | None
    end: str | None
    current: bool
    kind: str | None = None
    degree: str | None = None
    major: str | None = None
    description: str | None = None


def make_career(seed: int, dice: Dice, identity: tuple[str, ...], title: str, company: Company) -> tuple[Job, ...]:
    """3 to 8 jobs (perhaps one listed twice), newest first, the first at the company asked for; 0 to 2 schools."""
    count = dice.between(3, 8)
    prefix = hex_id(seed, "jobs", *identity)[:22]
    year = AS_OF_YEAR - dice.between(0, 4)
    entries = [_current_job(dice, prefix, title, company, year)]
    for number in range(1, count):
        ended = year - (1 if dice.chance(0.2) else 0)
        year = ended - dice.between(1, 4)
        entries.append(_former_job(dice, prefix, number, year, ended))
    if dice.chance(0.02):
        entries.append(entries[-1])
    for number in range(dice.between(0, 2)):
        school = _school(dice, prefix, number, year - 4 * number)
        entries.insert(dice.between(1, len(entries)), school)
    return tuple(entries)


def _current_job(dice: Dice, prefix: str, title: str, company: Company, year: int) -> Job:
    return Job(
        id=f"{prefix}00",
        organization_id=company.id,
        organization_name=company.name,
        title=title,
        start=None if dice.chance(0.06) else _date(dice, year),
        end=None,
        current=not dice.chance(0.02),
    )


def _former_job(dice: Dice, prefix: str, number: int, started: int, ended: int) -> Job:
    employer = invented_employer(dice)
    flaw = dice.roll()
    if flaw < 0.02:
        started, ended = ended, started
    return Job(
        id=f"{prefix}{number:02x}",
        organization_id=None if dice.chance(0.15) else _employer_id(employer),
        organization_name=employer,
        title=dice.pick(DEPARTMENTS)[dice.between(1, 3)],
        start=None if 0.02 <= flaw < 0.10 else _date(dice, started),
        end=None if flaw > 0.96 else _date(dice, ended),
        current=flaw > 0.96,
        description=f"Worked on {dice.pick(MAJORS).lower()} topics." if dice.chance(0.2) else None,
    )


def _school(dice: Dice, prefix: str, number: int, year: int) -> Job:
    return Job(
        id=f"{prefix}{0xF0 + number:02x}",
        organization_id=None,
        organization_name=dice.pick(UNIVERSITIES),
        title=None,
        start=None if dice.chance(0.3) else str(year - 4),
        end=str(year),
        current=False,
        kind="education",
        degree=dice.pick(DEGREES),
        major=dice.pick(MAJORS),
    )


@lru_cache(maxsize=32_768)
def _employer_id(name: str) -> str:
    return hex_id("employer", name)


def _date(dice: Dice, year: int) -> str:
    shape = dice.roll()
    if shape < 0.2:
        return str(year)
    month = dice.between(1, 12)
    return f"{year}-{month:02d}" if shape < 0.4 else f"{year}-{month:02d}-01"
