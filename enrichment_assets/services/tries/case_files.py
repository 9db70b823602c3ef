"""Saved cases of a workflow: a file with one JSON object a line, an answer and what is to be read out of it.

{"name": "a hit", "answer": {"status": 200, "body": {"email": "ada@acme.com"}}, "expect": {"email": "ada@acme.com"}}
{"name": "nobody", "answer": {"status": 404}, "outcome": "not_found"}
{"name": "from a file", "answer": "pages/acme.html", "assert": ["length(fields.homepage_text) > `100`"]}
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from enrichment_assets.domain.bulk_answers import Place
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.expressions import Expression
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.model_errors import described

MOST_BYTES = 256 * 1024 * 1024
MOST_CASES = 20_000
MOST_OF_AN_ANSWER = 16 * 1024 * 1024
"""Bounds of a file of cases, and of a file that an answer is in."""

_SHOWN_FAULTS = 20

Ending = Literal["found", "not_found", "failed", "skipped", "pending", "in_progress"]
"""How a case can end: an outcome, or the status of a state that has none."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SavedPlace(_Strict):
    """Where a row stood in the request of a bulk call."""

    index: int = Field(ge=0)
    count: int = Field(ge=1)
    names: list[str] | None = None


class SavedAnswer(_Strict):
    """An answer: `body` is text, or JSON of any other kind; else `body_base64`, or `path` of a file with its bytes.

    `asked`: what a prompt's inputs were, as the model saw them; by these its answer is grounded.
    """

    status: int = Field(default=200, ge=100, le=599)
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = None
    body_base64: str | None = None
    path: str | None = None
    how: Literal["response", "callback", "poll"] | None = None
    place: SavedPlace | None = None
    asked: dict[str, str] | None = None

    @model_validator(mode="after")
    def _one_body(self) -> SavedAnswer:
        if sum(one is not None for one in (self.body, self.body_base64, self.path)) > 1:
            raise ValueError("has its bytes once: `body`, `body_base64` or `path`")
        return self


class SavedCase(_Strict):
    """One line of the file."""

    name: str = Field(min_length=1, max_length=200)
    answer: SavedAnswer | str | None = None
    inputs: dict[str, Any] = Field(default_factory=dict)
    expect: dict[str, Any] = Field(default_factory=dict)
    outcome: Ending | None = None
    asserted: list[str] | str = Field(default_factory=list, alias="assert")

    @model_validator(mode="after")
    def _expects_something(self) -> SavedCase:
        if not (self.expect or self.outcome or self.asserted):
            raise ValueError("expects nothing: give `expect`, `outcome` or `assert`")
        return self


@dataclass(frozen=True, slots=True)
class Case:
    """A case that can be run. `body` is None where nothing was answered (a workflow that is computed here)."""

    name: str
    line: int
    status: int
    headers: Mapping[str, str]
    body: bytes | None
    how: str | None
    place: Place | None
    asked: Mapping[str, str] | None
    inputs: Mapping[str, Any]
    expect: Mapping[str, Any]
    outcome: str | None
    assertions: Sequence[Expression] = field(default_factory=tuple)


def read_cases(path: Path) -> list[Case]:
    """The cases of a file, in its order.

    Raises:
        NotFoundError: There is no such file.
        ConfigurationError: It is no such file, or lines of it are no cases; each with its line and cause.
    """
    found: list[Case] = []
    faults: list[str] = []
    lines: dict[str, int] = {}
    for number, text in _lines(path):
        try:
            case = _case(number, text, path)
        except _LineError as error:
            faults.append(f"line {number}: {error}")
            continue
        if (first := lines.setdefault(case.name, number)) != number:
            faults.append(f"line {number}: a case is called {case.name!r} already, in line {first}")
        found.append(case)
        if len(found) > MOST_CASES:
            raise ConfigurationError(f"{path.name}: more than {MOST_CASES:,} cases", code="cases.too_many")
    if faults:
        refuse_lines(path, faults)
    if not found:
        raise ConfigurationError(f"{path.name}: has no case in it", code="cases.empty")
    return found


def refuse_lines(path: Path, faults: Sequence[str]) -> None:
    """Raise `ConfigurationError` for lines that are no cases: each with its cause, the first ones of many."""
    more = f" ... and {len(faults) - _SHOWN_FAULTS} more" if len(faults) > _SHOWN_FAULTS else ""
    raise ConfigurationError(f"{path.name}: {'; '.join(faults[:_SHOWN_FAULTS])}{more}", code="cases.invalid")


class _LineError(ValueError):
    """A line is no case: why."""


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines with something in them, by number from 1."""
    # opens files of others: cases and the answers that they name, which a person has: plain files, bounded, in a folder
    with open_plain(path, MOST_BYTES) as file:
        for number, line in enumerate(file, 1):
            text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if text.strip():
                yield number, text


def open_plain(path: Path, most: int) -> Any:
    """A plain file, opened for reading bytes. Raises as `read_cases` for anything else, or more than `most` bytes."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {path}", code="cases.file_not_found") from None
    except OSError as error:
        raise ConfigurationError(
            f"{path.name}: cannot be read ({error.strerror})", code="cases.file_unreadable"
        ) from None
    known = os.fstat(number)
    if not stat.S_ISREG(known.st_mode) or known.st_size > most:
        os.close(number)
        what = f"is larger than {most:,} bytes" if stat.S_ISREG(known.st_mode) else "is no plain file"
        raise ConfigurationError(f"{path.name}: {what}", code="cases.file_refused")
    return os.fdopen(number, "rb")


def _case(number: int, text: bytes, path: Path) -> Case:
    saved = _saved(text)
    answer = SavedAnswer(path=saved.answer) if isinstance(saved.answer, str) else saved.answer
    asserted = [saved.asserted] if isinstance(saved.asserted, str) else saved.asserted
    try:
        assertions = tuple(Expression(one, "assert") for one in asserted)
    except ConfigurationError as error:
        raise _LineError(str(error)) from None
    place = answer.place if answer else None
    return Case(
        name=saved.name,
        line=number,
        status=answer.status if answer else 0,
        headers={name.lower(): value for name, value in answer.headers.items()} if answer else {},
        body=None if answer is None else _bytes(answer, path.parent),
        how=answer.how if answer else None,
        place=None if place is None else Place(place.index, place.count, tuple(place.names) if place.names else None),
        asked=answer.asked if answer else None,
        inputs=saved.inputs,
        expect=saved.expect,
        outcome=saved.outcome,
        assertions=assertions,
    )


def _saved(text: bytes) -> SavedCase:
    try:
        value = orjson.loads(text)
    except ValueError as error:
        raise _LineError(f"is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise _LineError("is no JSON object")
    try:
        return SavedCase.model_validate(value)
    except ValidationError as error:
        said = (f"{'.'.join(map(str, place)) or 'the case'}: {why}" for place, why in described(error, SavedCase))
        raise _LineError(", ".join(said)) from None


def _bytes(answer: SavedAnswer, folder: Path) -> bytes:
    if answer.path is not None:
        return _file(answer.path, folder)
    if answer.body_base64 is not None:
        try:
            return base64.b64decode(answer.body_base64, validate=True)
        except binascii.Error as error:
            raise _LineError(f"answer.body_base64: {error}") from None
    if isinstance(answer.body, str):
        return answer.body.encode()
    return b"" if answer.body is None else json_bytes(answer.body)


def _file(name: str, folder: Path) -> bytes:
    """The bytes of a file beside the cases: a file of cases that came from elsewhere reads nothing of this machine."""
    target = (folder / name).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise _LineError(f"answer: {name!r} is not in the folder of the cases or below it")
    try:
        with open_plain(target, MOST_OF_AN_ANSWER) as file:
            return bytes(file.read())
    except (NotFoundError, ConfigurationError) as error:
        raise _LineError(f"answer: {error.what}") from None


def written_case(case: Mapping[str, Any]) -> str:
    """One line of a file of cases."""
    return json.dumps(case, ensure_ascii=False, allow_nan=False)
