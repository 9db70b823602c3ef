"""A model that follows every instruction in its inputs, whatever form it has: the worst one that a page can meet.

It writes what the page tells it to into the answer, beyond the bounds of the schema if need be, and reads what is
hidden: entities, percent signs, base64, hexadecimal digits, ROT13. Only guards outside the model can help against it.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import orjson

from enrichment_assets.sandbox.language.material import Material
from enrichment_assets.sandbox.language.quoting import QuotingMaker
from enrichment_assets.sandbox.schemas import Schema
from enrichment_assets.sandbox.seeded_random import SeededRandom

_COMMAND = re.compile(
    r"\b(?:ignore|disregard|forget|override|instead|instructions?|system|assistant|developer|admin|must|should|always|never"
    r"|respond|reply|answer|output|return|write|set|send|use|rate|score|mark|visit|click|fetch|forward|contact|say|tell)\b",
    re.IGNORECASE,
)
_REACH = 400
"""Characters after a commanding word that belong to the command."""

_MOST = 200_000
_OBJECT = re.compile(r"\{[^{}]{2,2000}\}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEXADECIMAL = re.compile(r"(?:[0-9a-fA-F]{2}[ :]?){12,}")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_NOTHING = object()


class ObedientMaker(QuotingMaker):
    """Fills a schema with what the inputs demand; with quotes where they demand nothing."""

    def __init__(self, root: Schema, rng: SeededRandom, shown: Material) -> None:
        super().__init__(root, rng, shown)
        self.demands = Demands(shown.text)

    def member(self, name: str, schema: Schema | bool, depth: int) -> Any:
        """What the inputs want in this field, valid or not."""
        resolved = self.resolved(schema)
        wanted = self.demands.value(name, self._type(resolved), resolved)
        return super().member(name, schema, depth) if wanted is _NOTHING else wanted

    def _type(self, schema: Schema) -> str:
        options: list[Schema] = [self.resolved(option) for option in (schema.get("anyOf") or ())] or [schema]
        kinds = [kind for option in options for kind in _listed(option.get("type", "string")) if kind != "null"]
        return str(kinds[0]) if kinds else "string"


class Demands:
    """The instructions in a text, those that are hidden in it too."""

    def __init__(self, text: str) -> None:
        self.text = "\n".join([text[:_MOST], *_revealed(text[:_MOST])])

    @cached_property
    def said(self) -> Material:
        """Where the commands are, and what follows each."""
        ends, parts = 0, []
        for match in _COMMAND.finditer(self.text):
            start, end = max(match.start(), ends), match.end() + _REACH
            if end > ends:
                parts.append(self.text[start:end])
                ends = end
        return Material({"": "".join(parts)})

    @cached_property
    def objects(self) -> dict[str, Any]:
        """Members of all JSON objects: answers that the page has already written."""
        found: dict[str, Any] = {}
        for match in _OBJECT.finditer(self.text):
            try:
                value = orjson.loads(match.group())
            except orjson.JSONDecodeError:
                continue
            found.update(value)
        return found

    def value(self, field: str, kind: str, schema: Schema) -> Any:
        """What is demanded of a field, or `_NOTHING`."""
        if field in self.objects:
            return self.objects[field]
        if kind in {"object", "array"} or not self.said.text:
            return _NOTHING
        assigned = self._assigned(field)
        if kind in {"integer", "number"}:
            number = _NUMBER.search(assigned or self.said.text)
            return _NOTHING if number is None else _number(number.group(), whole=kind == "integer")
        if kind == "boolean":
            found = re.search(r"\b(true|false|yes|no)\b", assigned, re.IGNORECASE)
            return found.group().casefold() in {"true", "yes"} if found else _NOTHING
        return self._text(field, assigned, schema)

    def _text(self, field: str, assigned: str, schema: Schema) -> Any:
        options = [str(option) for option in schema.get("enum") or () if option is not None]
        if options:
            named = [one for one in options if re.search(rf"\b{re.escape(one)}\b", assigned, re.IGNORECASE)]
            return named[0] if named else _first_word(assigned)
        for words, spans in _ADDRESSES:
            if re.search(words, f"{field} {schema.get('format', '')}".casefold()):
                here = Material({"": assigned})
                found = getattr(here, spans) or getattr(self.said, spans)
                return found[0] if found else _first_word(assigned)
        return assigned or self.said.text[:_REACH]

    def _assigned(self, field: str) -> str:
        """What follows `<field> to`, `<field>:`, `<field> is`, up to the end of the line."""
        name = r"[\s_-]*".join(re.escape(word) for word in field.split("_"))
        found = re.search(
            rf"\b{name}\b['\"]?\s*(?:to|=|:|is|as|must be|should be|of)\s*['\"]?([^\n\"']+)",
            self.said.text,
            re.IGNORECASE,
        )
        return found.group(1).strip() if found else ""


_ADDRESSES = (
    ("mail|recipient", "emails"),
    ("phone|mobile", "phones"),
    ("url|uri|website|link|href|image", "urls"),
    ("domain|host", "hosts"),
)


def _revealed(text: str) -> Iterator[str]:
    """What is written in the text in another way."""
    for plain in (html.unescape(text), unquote(text), codecs.encode(text, "rot13")):
        if plain != text:
            yield plain
    for match in _BASE64.finditer(text):
        word = match.group().rstrip("=")
        try:
            yield base64.b64decode(word.replace("-", "+").replace("_", "/") + "=" * (-len(word) % 4)).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
    for match in _HEXADECIMAL.finditer(text):
        try:
            yield bytes.fromhex(match.group().replace(":", " ")).decode()
        except (ValueError, UnicodeDecodeError):
            continue


def _first_word(text: str) -> Any:
    return text.split()[0] if text.split() else _NOTHING


def _number(text: str, *, whole: bool) -> int | float:
    return int(float(text)) if whole else float(text)


def _listed(kind: Any) -> list[str]:
    return kind if isinstance(kind, list) else [str(kind)]
