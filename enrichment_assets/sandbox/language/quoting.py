"""Answers that quote: every text, number and address that can be is a span of the inputs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from enrichment_assets.sandbox.language.facts import Facts
from enrichment_assets.sandbox.language.material import Material
from enrichment_assets.sandbox.language.people import Someone, people_in
from enrichment_assets.sandbox.schemas import Schema, ValueMaker
from enrichment_assets.sandbox.seeded_random import SeededRandom

_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")

_KINDS: Sequence[tuple[str, Callable[[Material], Sequence[str]]]] = (
    ("email|mail_address", lambda shown: shown.emails),
    ("linkedin", lambda shown: [url for url in shown.urls if "linkedin." in url.casefold()]),
    ("phone|mobile|fax", lambda shown: shown.phones),
    ("url|uri|website|link|href", lambda shown: shown.urls),
    ("domain|hostname", lambda shown: shown.hosts),
    ("year", lambda shown: [number for number in shown.numbers if re.fullmatch("(?:19|20)[0-9]{2}", number)]),
    ("first_name", lambda shown: [name.split()[0] for name in shown.names]),
    ("last_name", lambda shown: [name.split()[-1] for name in shown.names]),
    ("name|client|customer|person|author", lambda shown: shown.names),
)
"""What a field's name (or `format`) asks for, and where it stands. The first that fits counts."""

MOST_PEOPLE = 50
"""Of one list: a page names no more, and an answer has an end."""

_ANYTHING = len(_KINDS)
_LONG = 500
"""Characters of a text that has room for all facts that it rests on."""

_TOLD = re.compile(r"\b(minimum|maximum|minLength|maxLength|minItems|maxItems): (-?\d+(?:\.\d+)?)(?=[,)])")


class QuotingMaker(ValueMaker):
    """Fills a schema from what a prompt shows; what is not there is null, empty, or made up where neither may be."""

    def __init__(self, root: Schema, rng: SeededRandom, shown: Material) -> None:
        super().__init__(root, rng)
        self.shown = shown
        self.facts = Facts(shown.inputs)
        self.field = ""
        self.used: list[int] = []
        """Numbers of facts that the answer names so far: what it writes next rests on them."""

    def resolved(self, schema: Schema | bool) -> dict[str, Any]:
        """The schema, with the bounds that a dialect cannot carry and that its description says in words."""
        found = super().resolved(schema)
        told = {name: float(value) for name, value in _TOLD.findall(str(found.get("description") or ""))}
        return {**{name: int(value) if value.is_integer() else value for name, value in told.items()}, **found}

    def object(self, schema: Schema, depth: int) -> dict[str, Any]:
        """An object, the facts that it names before the texts that rest on them, whatever their order in the schema."""
        properties: Schema = schema.get("properties") or {}
        first = sorted(properties, key=lambda name: "fact" not in name.casefold())
        return super().object({**schema, "properties": {name: properties[name] for name in first}}, depth)

    def member(self, name: str, schema: Schema | bool, depth: int) -> Any:
        """One member of an object; whatever is in it is about its name."""
        outer, self.field = self.field, name
        try:
            resolved = self.resolved(schema)
            known = self.known(resolved, depth)
            if known is not None or self.is_told_nothing(resolved):
                return known
            texts = self._nullable_text(resolved)
            return self.quoted(texts) if texts is not None else super().member(name, schema, depth)
        finally:
            self.field = outer

    def known(self, schema: Schema, depth: int) -> Any:
        """What the pages among the inputs say for this field, as its schema takes it; None: nothing."""
        options = [one for one in (schema.get("anyOf") or [schema]) if self.resolved(one).get("type") != "null"]
        plain = self.resolved(options[0]) if len(options) == 1 else {}
        kinds = [kind for kind in _listed(plain.get("type")) if kind != "null"]
        kind, facts = kinds[0] if len(kinds) == 1 else "", self.facts
        if plain.get("enum"):
            named = [str(one) for one in plain["enum"] if one is not None]
            return facts.option_for(self.field, named)
        if kind == "array" and self._asks_for_people(plain):
            return self._people(plain, depth)
        if kind == "boolean":
            return facts.truth_of(self.field)
        if kind in {"integer", "number"}:
            number = facts.number_for(self.field)
            fits = number is not None and self.fits_bounds(number, plain)
            return None if not fits or number is None else int(number) if kind == "integer" else number
        is_given = self.field in self.shown.inputs
        said = facts.text_for(self.field) if kind == "string" and not is_given else None
        return said if said and _fits(said, plain) else None

    def is_told_nothing(self, schema: Schema) -> bool:
        """Whether the pages speak of the field and say no value of it: where it may be null, it is."""
        return "null" in _kinds_of(schema) and self.facts.speaks_of(self.field)

    def array(self, schema: Schema, depth: int) -> list[Any]:
        """A list; of objects that each name one option, every option is there once at most."""
        found = super().array(schema, depth)
        named = [
            name
            for name, member in (self.resolved(schema.get("items") or {}).get("properties") or {}).items()
            if self.resolved(member).get("enum")
        ]
        if len(named) != 1 or not all(isinstance(one, dict) for one in found):
            return found
        by_option = {str(one.get(named[0])): one for one in found}
        return list(by_option.values()) if len(by_option) >= int(schema.get("minItems", 0)) else found

    def _asks_for_people(self, schema: Schema) -> bool:
        names = set(self.resolved(schema.get("items") or {}).get("properties") or {})
        return bool(names & {"name", "full_name", "first_name"}) and bool(
            names & {"title", "role", "position", "job_title"}
        )

    def _people(self, schema: Schema, depth: int) -> list[Any] | None:
        """Everybody whom the inputs name with a title; None where nobody is and the list may not be empty."""
        items = self.resolved(schema["items"])
        most = min(int(schema.get("maxItems", MOST_PEOPLE)), MOST_PEOPLE)
        people = {one.name: one for text in self.shown.inputs.values() for one in people_in(text)}
        found = [self._person(one, items, depth + 1) for one in list(people.values())[:most]]
        return found if len(found) >= int(schema.get("minItems", 0)) else None

    def _person(self, one: Someone, items: Schema, depth: int) -> dict[str, Any]:
        first, _, last = one.name.partition(" ")
        said = {"full_name": one.name, "name": one.name, "first_name": first, "last_name": last}
        said |= dict.fromkeys(("title", "role", "position", "job_title"), one.title)
        said |= dict.fromkeys(("email", "email_address", "mail"), one.email)
        said |= dict.fromkeys(("phone", "phone_number", "mobile"), one.phone)
        said |= dict.fromkeys(("linkedin", "linkedin_url", "profile_url"), one.profile)
        filled: dict[str, Any] = {}
        for name, schema in (items.get("properties") or {}).items():
            is_nullable = "null" in _kinds_of(self.resolved(schema))
            filled[name] = (
                (said[name] or (None if is_nullable else "")) if name in said else self.member(name, schema, depth)
            )
        return filled

    def text(self, schema: Schema) -> str:
        """A quote; else empty for an address that is nowhere; else made up."""
        found = self.quoted(schema)
        if found is not None:
            return found
        may_be_empty = not (schema.get("format") or schema.get("pattern") or schema.get("minLength"))
        return "" if may_be_empty and self._kind(schema) < _ANYTHING else super().text(schema)

    def number(self, schema: Schema, *, whole: bool) -> int | float:
        """The number of a fact, of the field's label, before its word, any that stands there, or one within bounds."""
        if "fact" in self.field.casefold() and self.shown.facts:
            self.used.append(self.rng.pick(self.shown.facts))
            return self.used[-1]
        spans = [self.shown.labelled.get(self.field.casefold(), "")]
        if not any(bound in schema for bound in _BOUNDS):
            counted = re.search(rf"(\d[\d,]*) {re.escape(self.field.casefold())}\b", self.shown.text, re.IGNORECASE)
            spans += [counted.group(1)] if counted else []
            spans += [span for span in self.shown.numbers if not whole or "." not in span]
        for span in spans:
            number = _as_number(span, whole=whole)
            if number is not None and self.fits_bounds(number, schema):
                return number
        return super().number(schema, whole=whole)

    def fits_bounds(self, number: float, schema: Schema) -> bool:
        """Whether a number is within the schema's bounds."""
        return (
            number >= schema.get("minimum", number)
            and number <= schema.get("maximum", number)
            and number > schema.get("exclusiveMinimum", number - 1)
            and number < schema.get("exclusiveMaximum", number + 1)
            and not number % schema.get("multipleOf", 1 if isinstance(number, int) else number or 1)
        )

    def quoted(self, schema: Schema) -> str | None:
        """A span of the inputs that fits the schema and what the field is called; None where there is none."""
        kind = self._kind(schema)
        labelled = self.shown.labelled.get(self.field.casefold())
        if labelled is not None and kind == _ANYTHING and _fits(labelled, schema):
            return labelled
        if kind < _ANYTHING:
            spans = [labelled] if labelled and not _KINDS[kind][1](self.shown) else _KINDS[kind][1](self.shown)
            fitting = [span for span in spans if _fits(span, schema)]
            if labelled in fitting:
                return labelled
        elif schema.get("pattern"):
            fitting = [found.group() for found in re.finditer(str(schema["pattern"]).strip("^$"), self.shown.text)]
            fitting = [span for span in fitting if _fits(span, schema)]
        else:
            most = int(schema.get("maxLength", 10_000))
            if lines := [self.shown.fact_lines[number] for number in self.used if number in self.shown.fact_lines]:
                return (
                    _shortened(" ".join(dict.fromkeys(lines)) if most >= _LONG else lines[0], most) or lines[0][:most]
                )
            spans = [_shortened(span, most) for span in self._about(self.shown.sentences)]
            fitting = [span for span in spans if span and _fits(span, schema)]
        return self.rng.pick(fitting) if fitting else None

    def _about(self, sentences: Sequence[str]) -> Sequence[str]:
        """The sentences that speak of the field, or all; no headings and list items where there are whole ones."""
        words = [word for word in self.field.casefold().split("_") if len(word) > 3]
        whole = [one for one in sentences if one[-1] in ".!?"] or sentences
        return [one for one in whole if any(word in one.casefold() for word in words)] or whole

    def _kind(self, schema: Schema) -> int:
        asked = f"{self.field} {schema.get('format', '')}".casefold()
        return next((place for place, (words, _) in enumerate(_KINDS) if re.search(words, asked)), _ANYTHING)

    def _nullable_text(self, schema: Schema) -> Schema | None:
        """The schema of a text that may be null, without the null."""
        kind = schema.get("type")
        if isinstance(kind, list) and sorted(kind) == ["null", "string"] and not schema.get("enum"):
            return {**schema, "type": "string"}
        options = [self.resolved(option) for option in schema.get("anyOf") or ()]
        texts = [option for option in options if option.get("type") == "string" and not option.get("enum")]
        is_one = len(options) == 2 and len(texts) == 1 and any(option.get("type") == "null" for option in options)
        return texts[0] if is_one else None


def _listed(kind: Any) -> list[str]:
    return [str(one) for one in kind] if isinstance(kind, list) else [str(kind)]


def _kinds_of(schema: Schema) -> set[str]:
    """The types that a schema takes, `null` among them."""
    options = [one for one in schema.get("anyOf") or () if isinstance(one, Mapping)]
    return {kind for one in (schema, *options) for kind in _listed(one.get("type"))}


def _fits(span: str, schema: Schema) -> bool:
    pattern = schema.get("pattern")
    return (
        int(schema.get("minLength", 0)) <= len(span) <= int(schema.get("maxLength", len(span)))
        and (not pattern or re.search(str(pattern), span) is not None)
        and (str(schema.get("format", "")) not in _SHAPES or re.fullmatch(_SHAPES[schema["format"]], span) is not None)
    )


_SHAPES: Mapping[str, str] = {
    "date": r"\d{4}-\d\d-\d\d",
    "date-time": r"\d{4}-\d\d-\d\dT\S+",
    "email": r"\S+@\S+",
    "uri": r"https?://\S+",
    "hostname": r"[\w.-]+",
    "uuid": r"[0-9a-f-]{36}",
    "time": r"\d\d:\d\d:\d\dZ",
    "duration": r"P\S+",
    "ipv4": r"\d+\.\d+\.\d+\.\d+",
    "ipv6": r"[0-9a-f:]+",
}
"""Formats that a quote has to have, roughly; what has no such shape is made up."""


def _shortened(span: str, most: int) -> str:
    """A sentence as far as whole words reach."""
    return span if len(span) <= most else span[: most + 1].rpartition(" ")[0]


def _as_number(span: str, *, whole: bool) -> int | float | None:
    plain = span.replace(",", "")
    try:
        return int(plain) if whole else float(plain)
    except ValueError:
        return None
