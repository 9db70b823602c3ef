"""Values made up from a JSON schema, for the language models: every value that comes out fits the schema.

Understands what schema-bound answers use (platform.openai.com/docs/guides/structured-outputs): `$ref` into `$defs`,
nested and recursive objects, `anyOf`/`oneOf`/`allOf`, `enum`, `const`, lists of types, bounds of numbers, texts and
arrays, tuples, open objects (`additionalProperties`), `format` and `pattern`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from enrichment_assets.sandbox.companies import invented_employer
from enrichment_assets.sandbox.patterns import matching
from enrichment_assets.sandbox.seeded_random import SeededRandom, hex_id

Schema = Mapping[str, Any]

DEEPEST = 6
"""Objects in objects; deeper down whatever may be left out or null is."""

MOST_ITEMS = 50
"""An array longer than this is cut, whatever `minItems` says: a schema must not fill the memory."""

_KEYWORDS = {
    "properties": "object",
    "additionalProperties": "object",
    "items": "array",
    "prefixItems": "array",
    "minItems": "array",
    "minimum": "number",
    "maximum": "number",
    "pattern": "string",
    "format": "string",
    "minLength": "string",
}


def value_for(schema: Schema, rng: SeededRandom) -> Any:
    """A made-up value that fits a JSON schema; an unsupported one gets a plausible text."""
    return ValueMaker(schema, rng).value(schema, 0)


class ValueMaker:
    """One walk through one schema: where references lead, and the draws.

    What a text, a number or a member is made of can be another thing in a subclass.
    """

    def __init__(self, root: Schema, rng: SeededRandom) -> None:
        self.root = root
        self.rng = rng

    def value(self, schema: Schema | bool, depth: int) -> Any:
        """A value of any schema, so deep in others."""
        schema = self.resolved(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self.rng.pick(schema["enum"])
        options = schema.get("anyOf") or schema.get("oneOf")
        if options:
            return self.value(self.chosen(options, depth), depth)
        return self.typed(self.kind_of(schema, depth), schema, depth)

    def resolved(self, schema: Schema | bool) -> dict[str, Any]:
        """The schema with its reference followed and the parts of `allOf` put together."""
        found: dict[str, Any] = {} if isinstance(schema, bool) else dict(schema)
        for _ in range(DEEPEST):
            name = found.pop("$ref", None)
            if name is None:
                break
            found = {**self.target(str(name)), **found}
        for part in found.pop("allOf", []):
            more = self.resolved(part)
            properties = {**found.get("properties", {}), **more.get("properties", {})}
            found = {**found, **more, **({"properties": properties} if properties else {})}
        return found

    def target(self, name: str) -> Schema:
        """What `#/$defs/Name` (or `#`, the schema itself) points to; an unknown name to no constraint."""
        place: Any = self.root
        for step in name.lstrip("#").strip("/").split("/"):
            step = step.replace("~1", "/").replace("~0", "~")
            if step:
                place = place.get(step, {}) if isinstance(place, Mapping) else {}
        return place if isinstance(place, Mapping) else {}

    def chosen(self, options: list[Schema], depth: int) -> Schema:
        """One of several schemas: deep down one that ends, else null in one of four cases, as models do."""
        nulls = [option for option in options if self.resolved(option).get("type") == "null"]
        others = [option for option in options if option not in nulls]
        if nulls and (not others or depth >= DEEPEST or self.rng.chance(0.25)):
            return nulls[0]
        if depth >= DEEPEST:
            return min(others, key=lambda option: self.resolved(option).get("type") in {"object", "array", None})
        return self.rng.pick(others)

    def kind_of(self, schema: Schema, depth: int) -> str:
        """The type of the value, one of several; without one, what the keywords are about."""
        kind = schema.get("type")
        if isinstance(kind, list):
            plain = [one for one in kind if one != "null"]
            if "null" in kind and (not plain or depth >= DEEPEST or self.rng.chance(0.25)):
                return "null"
            return str(self.rng.pick(plain))
        if kind is None:
            return next((kind for keyword, kind in _KEYWORDS.items() if keyword in schema), "string")
        return str(kind)

    def typed(self, kind: str, schema: Schema, depth: int) -> Any:
        """A value of a type."""
        if kind == "object":
            return self.object(schema, depth)
        if kind == "array":
            return self.array(schema, depth)
        if kind in {"integer", "number"}:
            return self.number(schema, whole=kind == "integer")
        if kind == "boolean":
            return self.rng.chance(0.5)
        return None if kind == "null" else self.text(schema)

    def object(self, schema: Schema, depth: int) -> dict[str, Any]:
        """An object with its properties; deep down with those that it must have."""
        properties: Schema = schema.get("properties") or {}
        required = schema.get("required") or ()
        wanted = [name for name in properties if depth < DEEPEST or name in required]
        if depth > 2 * DEEPEST:  # a recursion that nothing lets end: no value fits, and this one is finite
            wanted = []
        found = {name: self.member(name, properties[name], depth + 1) for name in wanted}
        more = schema.get("additionalProperties")
        if isinstance(more, Mapping) and depth < DEEPEST:
            for number in range(self.rng.between(1, 2)):
                found.setdefault(f"key_{number + 1}", self.value(more, depth + 1))
        return found

    def member(self, name: str, schema: Schema | bool, depth: int) -> Any:
        """The value of one property."""
        return self.value(schema, depth)

    def array(self, schema: Schema, depth: int) -> list[Any]:
        """A list of a length within its bounds, of few members where it has none."""
        lowest = min(int(schema.get("minItems", 0)), MOST_ITEMS)
        highest = min(int(schema.get("maxItems", max(lowest, 3))), MOST_ITEMS)
        first = list(schema.get("prefixItems") or ())
        items = schema.get("items", {})
        if items is False or (first and "items" not in schema):
            lowest = highest = len(first)
        count = lowest if depth >= DEEPEST else self.rng.between(max(lowest, min(1, highest)), highest)
        wanted = [*first, *[items] * max(0, count - len(first))][:count]
        found = [self.value(one, depth + 1) for one in wanted]
        if schema.get("uniqueItems"):
            found = [value for place, value in enumerate(found) if value not in found[:place]]
        return found

    def number(self, schema: Schema, *, whole: bool) -> int | float:
        """A number within its bounds."""
        low, high = schema.get("minimum"), schema.get("maximum")
        above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
        step = schema.get("multipleOf") or (1 if whole else None)
        lowest = max((bound for bound in (low, above) if bound is not None), default=None)
        highest = min((bound for bound in (high, below) if bound is not None), default=None)
        if lowest is None:
            lowest = 0 if highest is None or highest > 0 else highest - 100
        if highest is None:
            highest = max(100, lowest + 100)
        if step is None:
            share = 0.1 + 0.8 * self.rng.roll()
            drawn = lowest + (highest - lowest) * share
            return round(drawn, 6) if highest - lowest > 0.001 else drawn
        first, last = math.ceil(lowest / step), math.floor(highest / step)
        first += first * step == above
        last -= last * step == below
        drawn = self.rng.between(first, max(first, last)) * step
        return int(drawn) if whole else drawn

    def text(self, schema: Schema) -> str:
        """A text of its pattern or format, and of a length within its bounds."""
        if schema.get("pattern"):
            return matching(str(schema["pattern"]), self.rng)
        made = self.formatted(str(schema.get("format", ""))) or f"{invented_employer(self.rng)} is a believable answer."
        lowest, highest = int(schema.get("minLength", 0)), int(schema.get("maxLength", len(made)))
        if len(made) < lowest:
            made = (made * (lowest // len(made) + 1))[: min(lowest, 10_000)]
        return made[: max(highest, lowest)] if "maxLength" in schema else made

    def formatted(self, name: str) -> str:
        """A text in one of JSON schema's formats; empty for an unknown one."""
        rng = self.rng
        day = f"2026-{rng.between(1, 12):02d}-{rng.between(1, 28):02d}"
        number = hex_id(rng.roll())
        return {
            "date": day,
            "date-time": f"{day}T09:30:00Z",
            "time": "09:30:00Z",
            "duration": "P3D",
            "email": f"info@company-{number[:6]}.com",
            "hostname": f"company-{number[:6]}.com",
            "uri": f"https://www.company-{number[:6]}.com/",
            "ipv4": f"192.0.2.{rng.between(1, 254)}",
            "ipv6": f"2001:db8::{number[:4]}",
            "uuid": f"{number[:8]}-{number[8:12]}-4{number[13:16]}-8{number[17:20]}-{number[:12]}",
        }.get(name, "")
