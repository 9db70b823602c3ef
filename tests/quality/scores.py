"""Right, wrong and empty answers by group, and the floors under them."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from tests.quality import normalisers
from tests.quality.cases import DATA, Case, read_cases

FLOORS = Path(__file__).parent / "floors.json"
FINDERS = {"prospects": "tests.quality.webs", "courses": "tests.quality.courses"}
"""What is measured without cases of its own -> the module whose `measured` gives the scores."""

Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]
Floors = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Miss:
    """A case whose answer is not the expected one; `wrong` where a value was given that is none, else empty."""

    case: Case
    answer: Mapping[str, Any]
    wrong: bool


@dataclass(slots=True)
class Score:
    """What one group of one normaliser reached."""

    normaliser: str
    group: str
    cases: int = 0
    misses: list[Miss] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The key of the floors."""
        return f"{self.normaliser}/{self.group}"

    @property
    def right(self) -> int:
        """Cases in which every expected field came out."""
        return self.cases - len(self.misses)

    @property
    def wrong(self) -> int:
        """Cases in which something came out that is not so: worse than nothing."""
        return sum(miss.wrong for miss in self.misses)

    @property
    def figures(self) -> dict[str, float]:
        """`accuracy`: right of all cases; `precision`: right of those with a full or wrong answer. Rounded down."""
        answered = self.right + self.wrong
        return {
            "accuracy": _rounded(self.right, self.cases),
            "precision": _rounded(self.right, answered) if answered else 1.0,
        }

    def below(self, floors: Floors) -> list[str]:
        """Sentences about figures that lie below their floor, or have none."""
        floor = floors.get(self.name)
        if floor is None:
            return [f"{self.name} has no floor yet"]
        return [
            f"{self.name}: {figure} {value} is below its floor {floor[figure]}"
            for figure, value in self.figures.items()
            if value < floor[figure]
        ]


@dataclass(slots=True)
class Finds(Score):
    """What was found of what is there: `cases` are there, misses are what of it is missing, and what is none of it."""

    @property
    def right(self) -> int:
        """Cases that were found."""
        return self.cases - len(self.misses) + self.wrong

    @property
    def figures(self) -> dict[str, float]:
        """`recall`: found of all that is there; `precision`: of all that was found. Rounded down."""
        found = self.right + self.wrong
        return {
            "recall": _rounded(self.right, self.cases),
            "precision": _rounded(self.right, found) if found else 1.0,
        }


def measure(normaliser: str) -> list[Score]:
    """The scores by group of one normaliser, a module of `tests/quality/normalisers`, or of the sandbox's webs."""
    if normaliser in FINDERS:
        scores_of: list[Score] = import_module(FINDERS[normaliser]).measured()
        return scores_of
    answer: Answer = import_module(f"{normalisers.__name__}.{normaliser}").answer
    scores: dict[str, Score] = {}
    for case in read_cases(DATA / normaliser):
        score = scores.setdefault(case.group, Score(normaliser, case.group))
        score.cases += 1
        if miss := _judge(case, answer(case.given)):
            score.misses.append(miss)
    return [scores[group] for group in sorted(scores)]


def normaliser_names() -> list[str]:
    """Every normaliser that is measured, by name."""
    return sorted(module.name for module in iter_modules(normalisers.__path__))


def measured_names() -> list[str]:
    """Everything that is measured, by name: the normalisers, and what finds something in the sandbox's webs."""
    return sorted([*normaliser_names(), *FINDERS])


def read_floors() -> Floors:
    """The floors as they are kept: `<normaliser>/<group>` to figures."""
    floors: Floors = json.loads(FLOORS.read_text())
    return floors


def raise_floors(scores: Iterable[Score]) -> None:
    """Write the floors anew: higher where a figure is higher, new groups added, none lowered."""
    floors = read_floors()
    for score in scores:
        old = floors.get(score.name, {})
        floors[score.name] = {figure: max(value, old.get(figure, 0)) for figure, value in score.figures.items()}
    FLOORS.write_text(json.dumps(floors, indent=2, sort_keys=True) + "\n")


def lowered_floors() -> list[str]:
    """Floors that were higher in some commit before this one. Without git, none is known."""
    floors = read_floors()
    return sorted(
        {
            f"{name}: the floor of {figure} was {value}, it is {floors[name][figure]}"
            for earlier in _earlier_floors()
            for name, figures in earlier.items()
            for figure, value in figures.items()
            if name in floors and floors[name][figure] < value
        }
    )


def _earlier_floors() -> Iterator[Floors]:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(FLOORS.parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    try:
        commits = git("log", "--format=%H", "--", FLOORS.name).split()
        versions = [git("show", f"{commit}:./{FLOORS.name}") for commit in commits]
    except (FileNotFoundError, subprocess.CalledProcessError):
        return
    yield from map(json.loads, versions)


def _judge(case: Case, answer: Mapping[str, Any]) -> Miss | None:
    given = {name: answer[name] for name in case.expected}
    if all(given[name] == value for name, value in case.expected.items()):
        return None
    wrong = any(given[name] not in (None, value) for name, value in case.expected.items())
    return Miss(case, given, wrong)


def _rounded(part: int, whole: int) -> float:
    return math.floor(1000 * part / whole) / 1000
