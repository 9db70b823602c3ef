"""Careers: 3 to 8 jobs with the flaws that real ones have, education entries mixed in.

The flaws are the point: dates that are a year or a month, a start that is missing, an end before its start, two
current jobs or none, the same entry twice.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from enrichment_assets.sandbox.companies import Company, invented_employer
from enrichment_assets.sandbox.seeded_random import SeededRandom, hex_id
from enrichment_assets.sandbox.web.courses import GOLF, invented_club
from enrichment_assets.sandbox.words import AS_OF_YEAR, DEGREES, DEPARTMENTS, MAJORS, UNIVERSITIES

_AT_CLUBS = ("Assistant Golf Professional", "Greenskeeper", "Assistant Superintendent", "Tournament Coordinator")


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


def make_career(
    seed: int, rng: SeededRandom, identity: tuple[str, ...], title: str, company: Company
) -> tuple[Job, ...]:
    """3 to 8 jobs (perhaps one listed twice), newest first, the first at the company asked for; 0 to 2 schools."""
    count = rng.between(3, 8)
    prefix = hex_id(seed, "jobs", *identity)[:22]
    year = AS_OF_YEAR - rng.between(0, 4)
    entries = [_current_job(rng, prefix, title, company, year)]
    for number in range(1, count):
        ended = year - (1 if rng.chance(0.2) else 0)
        year = ended - rng.between(1, 4)
        entries.append(_former_job(rng, prefix, number, year, ended, is_golf=company.industry == GOLF))
    if rng.chance(0.02):
        entries.append(entries[-1])
    for number in range(rng.between(0, 2)):
        school = _school(rng, prefix, number, year - 4 * number)
        entries.insert(rng.between(1, len(entries)), school)
    return tuple(entries)


def _current_job(rng: SeededRandom, prefix: str, title: str, company: Company, year: int) -> Job:
    return Job(
        id=f"{prefix}00",
        organization_id=company.id,
        organization_name=company.name,
        title=title,
        start=None if rng.chance(0.06) else _date(rng, year),
        end=None,
        current=not rng.chance(0.02),
    )


def _former_job(rng: SeededRandom, prefix: str, number: int, started: int, ended: int, *, is_golf: bool) -> Job:
    """One job before the current one; people of golf courses have worked at others."""
    employer = invented_club(rng) if is_golf else invented_employer(rng)
    flaw = rng.roll()
    if flaw < 0.02:
        started, ended = ended, started
    return Job(
        id=f"{prefix}{number:02x}",
        organization_id=None if rng.chance(0.15) else _employer_id(employer),
        organization_name=employer,
        title=rng.pick(_AT_CLUBS) if is_golf else rng.pick(DEPARTMENTS)[rng.between(1, 3)],
        start=None if 0.02 <= flaw < 0.10 else _date(rng, started),
        end=None if flaw > 0.96 else _date(rng, ended),
        current=flaw > 0.96,
        description=f"Worked on {rng.pick(MAJORS).lower()} topics." if rng.chance(0.2) else None,
    )


def _school(rng: SeededRandom, prefix: str, number: int, year: int) -> Job:
    return Job(
        id=f"{prefix}{0xF0 + number:02x}",
        organization_id=None,
        organization_name=rng.pick(UNIVERSITIES),
        title=None,
        start=None if rng.chance(0.3) else str(year - 4),
        end=str(year),
        current=False,
        kind="education",
        degree=rng.pick(DEGREES),
        major=rng.pick(MAJORS),
    )


@lru_cache(maxsize=32_768)
def _employer_id(name: str) -> str:
    return hex_id("employer", name)


def _date(rng: SeededRandom, year: int) -> str:
    shape = rng.roll()
    if shape < 0.2:
        return str(year)
    month = rng.between(1, 12)
    return f"{year}-{month:02d}" if shape < 0.4 else f"{year}-{month:02d}-01"
