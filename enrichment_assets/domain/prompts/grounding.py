"""Grounding: a value that a model gives counts only where it stands in the input that it is said to come from.

A model may invent an address that looks right, and a page may tell it which to give. So a field that is `grounded` is
looked for in its inputs, as its kind is written (`occurrences`); what is not found is dropped with the reason
`not_grounded`, and what is found is kept with the words it was found as: a `Citation`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.cleaned import Cleaned, Reason, rejection
from enrichment_assets.domain.field_types import FIELD_TYPES, FieldType
from enrichment_assets.domain.no_value import is_no_value
from enrichment_assets.domain.prompts.fencing import facts_in
from enrichment_assets.domain.prompts.occurrences import Source
from enrichment_assets.domain.prompts.paths import rule_names

MAX_QUOTE = 500
"""Characters of a quote that are kept."""

_STEP = re.compile(r"\[\*?\]|[^.\[\]]+")
_Steps = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a value stands.

    Attributes:
        field: The value's place in the answer: `email`, `people[0].name`.
        input: The name of the input.
        quote: What stands there, at most 500 characters.
        start: How many characters of the input stand before it.
    """

    field: str
    input: str
    quote: str
    start: int


@dataclass(frozen=True, slots=True)
class Grounded:
    """An answer of which every grounded value was found.

    Attributes:
        answer: The answer; null where a value was dropped, and lists without the members that were.
        dropped: Path of the rule -> what was dropped there, as a `rejected` column has it: `value`, `reason`.
        citations: Where what counts was found, in the order of the answer.
    """

    answer: Any
    dropped: Mapping[str, dict[str, Any]]
    citations: tuple[Citation, ...]


def ground(
    answer: Any,
    rules: Mapping[str, Sequence[str]],
    inputs: Mapping[str, str],
    types: Mapping[str, FieldType] | None = None,
    country: str | None = None,
) -> Grounded:
    """Look every grounded value of an answer up in its inputs. Never raises; the answer given in is not changed.

    Args:
        answer: The validated answer, any JSON.
        rules: Path in the answer -> names of the inputs in which its value has to stand, the first that has it is
            cited. `email`, `contact.email`, `people[].name` (each member), `emails` (each member of the list); of an
            object every value in it. A boolean stands in no text.
        inputs: Name -> text, as the model saw it (`Fenced.inputs`).
        types: Path -> what kind of value it is; else the type of the path's last name if the platform knows it, else
            what the value looks like.
        country: Name or code of the country by which numbers without `+` are read, in the answer and the inputs. It
            counts where it stands in an input itself: else a model could make any number one of any country.
    """
    sources = {name: Source(text) for name, text in inputs.items()}
    if country and any(source.find(country, FieldType.COUNTRY) for source in sources.values()):
        sources = {name: Source(text, country) for name, text in inputs.items()}
    citations: list[Citation] = []
    dropped: dict[str, dict[str, Any]] = {}
    for path, names in rules.items():
        search = _Search([(name, sources[name]) for name in names if name in sources], _kind(path, types or {}))
        answer = search.kept(answer, tuple(_STEP.findall(path)), "")
        citations.extend(search.citations)
        if search.dropped:
            dropped[path] = _entry(search.dropped)
    return Grounded(answer, dropped, tuple(citations))


def cited(citations: Sequence[Citation], fields_at: Mapping[str, Sequence[str]]) -> dict[str, list[dict[str, Any]]]:
    """Citations by field: `at` (place in the answer), `input`, `quote`, `start` of each.

    Args:
        citations: Of one answer.
        fields_at: Rule (`people[].email`) -> the fields that are provided from there. What none is provided from goes
            by its path.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for one in citations:
        names = rule_names(one.field)
        at = [rule for rule in fields_at if names[: len(rule_names(rule))] == rule_names(rule)]
        shown = {"at": one.field, "input": one.input, "quote": one.quote, "start": one.start}
        for name in [field for place in at for field in fields_at[place]] or [".".join(names)]:
            found.setdefault(name, []).append(shown)
    return found


def unknown_facts(answer: Any, cites: Mapping[str, str], inputs: Mapping[str, str]) -> str | None:
    """What is wrong with the facts that an answer says it used; None: nothing.

    Args:
        answer: The validated answer.
        cites: Path in the answer -> name of the input whose numbered lines its numbers mean.
        inputs: Name -> text, as the model saw it.
    """
    for path, name in cites.items():
        known = facts_in(inputs.get(name, ""))
        for place, number in _values(answer, tuple(_STEP.findall(path)), ""):
            if number is not None and (isinstance(number, bool) or number not in known):
                return f"{place} names fact {str(number)[:40]} of {name}, which has {_numbers(known)}"
    return None


class _Search:
    """One rule at work: what of an answer stands in these sources."""

    def __init__(self, sources: Sequence[tuple[str, Source]], kind: FieldType) -> None:
        self._sources = sources
        self._kind = kind
        self.citations: list[Citation] = []
        self.dropped: list[Any] = []

    def kept(self, value: Any, steps: _Steps, place: str) -> Any:
        """The value without what is at these steps and stands nowhere."""
        if isinstance(value, list):
            rest = steps[1:] if steps and steps[0].startswith("[") else steps
            members = [(member, self.kept(member, rest, f"{place}[{n}]")) for n, member in enumerate(value)]
            return [kept for member, kept in members if kept is not None or member is None]
        if isinstance(value, Mapping):
            if not steps:
                return {name: self.kept(member, (), _below(place, name)) for name, member in value.items()}
            if steps[0] not in value:
                return value
            return {**value, steps[0]: self.kept(value[steps[0]], steps[1:], _below(place, steps[0]))}
        return value if steps or value is None or value == "" else self._found(value, place)

    def _found(self, value: Any, place: str) -> Any:
        for name, source in self._sources:
            span = source.find(value, self._kind)
            if span is not None:
                self.citations.append(Citation(place, name, source.text[slice(*span)][:MAX_QUOTE], span[0]))
                return value
        self.dropped.append(value)
        return None  # guard: a-value-from-nowhere-does-not-count


def _entry(dropped: list[Any]) -> dict[str, Any]:
    """What was dropped for one rule; `N/A` is no invention, but no value either."""
    says_nothing = all(isinstance(value, str) and is_no_value(value) for value in dropped)
    reason = Reason.PLACEHOLDER if says_nothing else Reason.NOT_GROUNDED
    return rejection(dropped[0] if len(dropped) == 1 else dropped, Cleaned(None, reason)) or {}


def _kind(path: str, types: Mapping[str, FieldType]) -> FieldType:
    names = [step for step in _STEP.findall(path) if not step.startswith("[")]
    return types.get(path) or FIELD_TYPES.get(names[-1] if names else "", FieldType.ANY)


def _values(value: Any, steps: _Steps, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        rest = steps[1:] if steps and steps[0].startswith("[") else steps
        for number, member in enumerate(value):
            yield from _values(member, rest, f"{place}[{number}]")
    elif not steps:
        yield place, value
    elif isinstance(value, Mapping) and steps[0] in value:
        yield from _values(value[steps[0]], steps[1:], _below(place, steps[0]))


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _numbers(known: frozenset[int]) -> str:
    return f"{min(known)} to {max(known)}" if known else "none"
