"""What pydantic says of a configuration, as sentences: the place, the line where it is known, and what was meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from enrichment_assets.domain.suggestions import did_you_mean, nearest

Place = tuple[str | int, ...]
Lines = Mapping[Place, int]
"""Keys into a file -> the line where they stand (`domain.yaml_text.line_numbers`)."""


_SHORT_FOR = {"types": "type", "columns": "column"}
"""Where `provides` may say at a field what the definition has by itself (`domain.lead_columns.long_provides`)."""


def described(error: ValidationError, model: type[BaseModel], lines: Lines | None = None) -> list[tuple[Place, str]]:
    """(place, what is wrong) of every error. No value is repeated, but for one that is like a word of a fixed list.

    A key that nobody knows is told from a missing one: `there is no setting 'reqires'; did you mean 'requires'?`
    """
    found: dict[tuple[Place, str], None] = {}
    for detail in error.errors(include_url=False):
        place = _real(tuple(detail["loc"]), lines)
        found[(place, _message(detail, model))] = None
    return list(found)


def line_of(place: Place, lines: Lines | None) -> int | None:
    """The line of a place, or of the nearest thing around it that has one."""
    while lines and place:
        if place in lines:
            return lines[place]
        place = place[:-1]
    return None


def at_line(place: str, line: int | None) -> str:
    """`request.url (line 12)`."""
    return f"{place} (line {line})" if line is not None else place


def _message(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, loc = detail["type"], detail["loc"]
    if kind == "extra_forbidden":
        word = str(loc[-1])
        return f"there is no setting {word!r} here{did_you_mean(word, _keys_at(model, loc[:-1]))}"
    message = detail["msg"].removeprefix("Value error, ")
    if kind in ("enum", "literal_error") and isinstance(given := detail.get("input"), str):
        choices = [part for part in str(detail.get("ctx", {}).get("expected", "")).split("'") if part.isidentifier()]
        near = nearest(given, choices)
        return f"{message}; did you mean {near!r}?" if near else message
    return message


def _real(loc: Place, lines: Lines | None) -> Place:
    """The keys of the file alone: pydantic also names the member of a union that it tried."""
    if not lines:
        return loc
    short = _SHORT_FOR.get(str(loc[0])) if len(loc) > 1 else None
    if short is not None and ("provides", loc[1], short) in lines:
        return ("provides", loc[1], short, *loc[2:])
    place: Place = ()
    for number, key in enumerate(loc):
        if (*place, key) in lines or (number == len(loc) - 1 and not str(key)[:1].isupper() and "[" not in str(key)):
            place = (*place, key)
    return place


def _keys_at(model: type[BaseModel], loc: Place) -> list[str]:
    """The settings that there are at a place, of every model that may stand there."""
    types: list[Any] = [model]
    for key in loc:
        types = [inner for one in types for inner in _inside(one, key)]
    return [name for one in types for kind in _models(one) for name in _names(kind)]


def _names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    elif get_origin(kind) in (Union, UnionType, Annotated):
        for part in get_args(kind):
            yield from _models(part)


def _inside(kind: Any, key: str | int) -> Iterator[Any]:
    """The types below a key or index; the name of a member of a union is no step."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        for part in arguments:
            yield from _inside(part, key)
    elif origin is Annotated:
        yield from _inside(arguments[0], key)
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        if key in kind.model_fields:
            yield kind.model_fields[str(key)].annotation
        elif key == kind.__name__:
            yield kind
    elif origin is list:
        yield arguments[0] if isinstance(key, int) else kind
    elif origin is dict:
        yield arguments[1]
