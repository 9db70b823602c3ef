"""Finding each member's part in the one answer to a bulk call. Pure: bytes in, an answer or a fault for each out.

What is found is an ordinary `Answer` of that member alone, so that a provider's verdict, the mapping, a replay and a
reused answer know nothing of bulk calls. An element that cannot be told to be a member's is nobody's: never a guess.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from enrichment_assets.domain.bulk import Match
from enrichment_assets.domain.bulk_requests import bulk_of, text_of_name
from enrichment_assets.domain.charsets import charset_of
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.expressions import Expression
from enrichment_assets.domain.jsontext import json_bytes, parse_json
from enrichment_assets.domain.money import units_of
from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.workflow import WorkflowDefinition

_JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a member stood in its request.

    Attributes:
        index: From 0.
        count: Members of the request.
        names: The ids that were sent, by index; None: members are found by their place.
    """

    index: int
    count: int
    names: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """The answer says nothing about a member. `is_miss`: that is how this provider says that it knows nothing.

    `is_refused`: the answer counts those whom the provider would not have, and this member is one of them.
    """

    why: str
    is_miss: bool = False
    is_refused: bool = False


Part = Answer | Missing


class BulkReader:
    """Takes the answers of one workflow's bulk calls apart; compile once per step."""

    def __init__(self, workflow: WorkflowDefinition) -> None:
        self._slug = workflow.slug
        self._bulk = bulk_of(workflow)
        self._answers = self._expression("answers", self._bulk.answers)
        self._status = self._optional("status", self._bulk.status)
        self._cost = self._optional("cost", self._bulk.cost)
        self._unlisted = self._optional("unlisted", self._bulk.unlisted)
        match = self._bulk.match
        self._match = match if isinstance(match, Match) else None
        self._answered = self._optional("match.answered", self._match.answered if self._match else None)

    def parts(self, answer: Answer, place: Place) -> list[Part]:
        """What the answer says about each member, in the order of the request.

        Args:
            answer: The whole, with a status that means an answer.
            place: Of any of its members.

        Raises:
            ContractError: It is not JSON, or has no list where `answers` looks for one.
        """
        body = self._body(answer)
        elements = self._answers(body)
        if not isinstance(elements, list):
            raise ContractError(
                f"{self._slug}: the answer has no list of the members' answers (`bulk.answers`)",
                code="answer.no_members",
            )
        names, why = place.names, self._refusals(body)
        found = self._by_place(elements, place) if names is None else self._by_name(elements, names, why)
        return [part if isinstance(part, Missing) else self._answer(answer, part.element) for part in found]

    def part(self, answer: Answer, place: Place) -> Part:
        """The same of one member."""
        return self.parts(answer, place)[place.index]

    def cost_units(self, answer: Answer) -> Decimal | None:
        """What the whole answer says that the call cost, in units; None: it does not say."""
        if self._cost is None:
            return None
        try:
            return units_of(self._cost(self._body(answer)))
        except ContractError:
            return None

    def _body(self, answer: Answer) -> Any:
        try:
            return parse_json(answer.body, [], charset_of(answer.headers.get("content-type", "")))
        except ValueError as error:
            raise ContractError(
                f"{self._slug}: the body is not JSON ({error})", code="answer.members_not_json"
            ) from error

    def _by_place(self, elements: Sequence[Any], place: Place) -> list[_Element | Missing]:
        if len(elements) != place.count:
            why = f"the answer has {len(elements)} elements for {place.count} members: nobody knows whose they are"
            return [Missing(why)] * place.count
        return [_Element(element) for element in elements]

    def _by_name(self, elements: Sequence[Any], names: Sequence[str], refused: str | None) -> list[_Element | Missing]:
        by_name: dict[str, list[Any]] = defaultdict(list)
        for element in elements:
            if element is not None:  # a place without anybody in it
                by_name[self._name_of(element)].append(element)
        keys = [self._folded(name) for name in names]
        strangers = sum(len(several) for key, several in by_name.items() if key not in keys)
        return [self._one(by_name.get(key, []), strangers, refused) for key in keys]

    def _refusals(self, body: Any) -> str | None:
        """Why members are not among the answers, by what the answer counts; None: it counts none."""
        try:
            counted = None if self._unlisted is None else self._unlisted(body)
        except ContractError:
            return None
        if not isinstance(counted, dict):
            return None
        told = [(reason, count) for reason, count in counted.items() if type(count) is int and count > 0]
        if len(told) <= 1:
            return told[0][0] if told else None
        return f"one of: {', '.join(f'{reason} ({count})' for reason, count in told)}"

    def _one(self, elements: Sequence[Any], strangers: int, refused: str | None) -> _Element | Missing:
        """One member's element: the only one, or several that say the same."""
        if not elements:
            if strangers:
                return Missing(f"the answer has {strangers} elements that are no member's, and none for this one")
            if refused is not None:
                return Missing(refused, is_refused=True)
            return Missing("the answer says nothing about this member", is_miss=self._bulk.missing == "not_found")
        if any(element != elements[0] for element in elements[1:]):
            return Missing(f"the answer has {len(elements)} different elements for this member")
        return _Element(elements[0])

    def _name_of(self, element: Any) -> str:
        """Whose it says that it is; empty: it does not say."""
        try:
            name = text_of_name(self._answered(element)) if self._answered is not None else None
        except ContractError:
            name = None
        return self._folded(name or "")

    def _folded(self, name: str) -> str:
        return name.casefold() if self._match is not None and self._match.ignore_case else name

    def _answer(self, whole: Answer, element: Any) -> Answer:
        """The element as an answer of its own. Headers are about the whole call, and not about a member."""
        return Answer(self._status_of(whole, element), _JSON, json_bytes(element), (element,))

    def _status_of(self, whole: Answer, element: Any) -> int:
        try:
            status = None if self._status is None else self._status(element)
        except ContractError:
            status = None
        if isinstance(status, int) and not isinstance(status, bool) and 100 <= status <= 599:
            return status
        return whole.status

    def _expression(self, field: str, text: str) -> Expression:
        return Expression(text, f"workflow {self._slug}, bulk.{field}")

    def _optional(self, field: str, text: str | None) -> Expression | None:
        return None if text is None else self._expression(field, text)


@dataclass(frozen=True, slots=True)
class _Element:
    element: Any
