"""JSON inside text: what a language model wrote around it is taken off. Pure.

Models answer with JSON alone, in a code fence, with a sentence before or after it, or written twice as text in text.
One document is taken; two different ones are a question nobody here can answer, and half of one is no answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jmespath

from enrichment_assets.domain.jsontext import parse_json

MAX_STARTS = 200
"""Brackets at which a document may begin: more are no prose around an answer."""

_OPENING = re.compile(r"(```+|~~~+)\s*([A-Za-z0-9_+-]*)\s*")
_THOUGHTS = ("think", "thinking", "reasoning")
_BEGUN = {"{": re.compile(r'\{\s*(?:"|$)'), "[": re.compile(r'\[\s*(?:[\[{"]|$)')}
"""What begins like a document; `{name}` and `[1]` in prose do not."""

_DECODER = json.JSONDecoder()
_Steps = tuple[str | int | None, ...]
"""Names and indexes of a path; None is every element of a list."""


Parse = Callable[[bytes, list[str] | None], Any]
"""Bytes of one document to its value; raises `ValueError`. The default is `domain.jsontext.parse_json`."""


def json_in_text(text: str, notes: list[str] | None = None, parse: Parse = parse_json) -> Any:
    """The one JSON object or list in a text, with or without fences and prose around it.

    Raises:
        ValueError: There is none, only the beginning of one, or several that differ. The message quotes nothing.
    """
    try:
        whole = parse(text.encode("utf-8", "surrogatepass"), notes)
    except ValueError:
        return _one(_documents(text, parse))
    if isinstance(whole, str) and whole.lstrip()[:1] in ("{", "[", "`"):
        return json_in_text(whole, notes, parse)
    if not isinstance(whole, dict | list):
        raise ValueError("the text holds no JSON object or list")
    return whole


def _documents(text: str, parse: Parse) -> list[Any]:
    """What is in code fences; without any, the objects in the text; without these, the lists."""
    text = _without_thoughts(text)
    fenced = []
    for language, block, is_closed in _fences(text):
        try:
            fenced.append(parse(block.encode("utf-8", "surrogatepass"), None))
        except ValueError:
            if language.lower().startswith("json") or not is_closed:
                raise ValueError("the JSON in the code fence is broken or cut off") from None
    if fenced:
        return [document for document in fenced if isinstance(document, dict | list)]
    return list(_found(text, "{", parse)) or list(_found(text, "[", parse))


def _without_thoughts(text: str) -> str:
    """Without what a model thought aloud, `<think>...</think>`: drafts of its answer may be in there."""
    for tag in _THOUGHTS:
        before, *rest = text.split(f"<{tag}>")
        text = before + "".join(piece.partition(f"</{tag}>")[2] if f"</{tag}>" in piece else piece for piece in rest)
    return text


def _fences(text: str) -> Iterator[tuple[str, str, bool]]:
    """(language, content, whether it is closed) of each code fence, as CommonMark has them: whole lines."""
    marker, language, block = "", "", list[str]()
    for line in text.split("\n"):
        stripped = line.strip()
        if not marker:
            if opening := _OPENING.fullmatch(stripped):
                marker, language, block = opening.group(1), opening.group(2), []
        elif stripped.startswith(marker) and not stripped.strip(marker[0]):
            yield language, "\n".join(block), True
            marker = ""
        else:
            block.append(line)
    if marker:
        content = "\n".join(block).rstrip()
        yield language, content.rstrip(marker[0]), content.endswith(marker)


def _found(text: str, bracket: str, parse: Parse) -> Iterator[Any]:
    """Documents that begin with this bracket, none inside another."""
    at, starts = text.find(bracket), 0
    while at >= 0:
        starts += 1
        if starts > MAX_STARTS:
            raise ValueError("the text has too many brackets to find JSON in it")
        end = _end_of(text, at) if bracket == "{" or _BEGUN[bracket].match(text, at) else None
        if end is None:
            at = text.find(bracket, at + 1)
            continue
        yield parse(text[at:end].encode("utf-8", "surrogatepass"), None)
        at = text.find(bracket, end)


def _end_of(text: str, start: int) -> int | None:
    """Where the document that begins at `start` ends; None: none does. Raises `ValueError` where it is cut off."""
    try:
        return _DECODER.raw_decode(text, start)[1]
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
            raise ValueError("the JSON in the text is cut off") from None
        if _BEGUN[text[start]].match(text, start):  # what stands inside a broken document is not the document
            raise ValueError("the JSON in the text is broken") from None
        return None


def _one(documents: list[Any]) -> Any:
    if not documents:
        raise ValueError("the text holds no JSON object or list")
    if any(document != documents[0] for document in documents[1:]):
        raise ValueError(f"the text holds {len(documents)} different JSON documents")
    return documents[0]


ReadText = Callable[[str, list[str] | None], Any]
"""What opens a text: the text, and where to tell what was mended."""


class TextOpener:
    """Opens the text at one place of a payload: `choices[0].message.content` is then an object, the rest as it was.

    Raises:
        ValueError: The path is more than names, indexes and `[*]`.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._steps = path_steps(jmespath.compile(path).parsed)

    def __call__(self, payload: Any, notes: list[str] | None = None, read: ReadText = json_in_text) -> Any:
        """The payload with the text opened by `read`; unchanged where nothing or no text is at the path.

        Raises:
            ValueError: There is text, and no JSON can be read out of it.
        """
        return self._open(payload, self._steps, lambda text: read(text, notes))

    def _open(self, value: Any, steps: _Steps, read: Callable[[str], Any]) -> Any:
        if not steps:
            return read(value) if isinstance(value, str) else value
        step, *rest = steps
        if isinstance(step, str):
            if not isinstance(value, Mapping) or step not in value:
                return value
            return {**value, step: self._open(value[step], tuple(rest), read)}
        if not isinstance(value, list):
            return value
        if step is None:
            return self._open_each(value, tuple(rest), read)
        if not -len(value) <= step < len(value):
            return value
        opened = list(value)
        opened[step] = self._open(value[step], tuple(rest), read)
        return opened

    def _open_each(self, values: list[Any], rest: _Steps, read: Callable[[str], Any]) -> list[Any]:
        """Every element; text without JSON (a model's thinking beside its answer) stays where another one has some."""
        opened, refused, changed = [], None, False
        for value in values:
            try:
                opened.append(self._open(value, rest, read))
                changed = changed or opened[-1] != value
            except ValueError as error:
                opened.append(value)
                refused = refused or error
        if refused is not None and not changed:
            raise refused
        return opened


def path_steps(node: Mapping[str, Any]) -> _Steps:
    """The names and indexes of a parsed path. Raises `ValueError` where it is more than that."""
    kind, children = node["type"], node["children"]
    if kind in ("field", "index"):
        return (node["value"],)
    if kind in ("identity", "current"):
        return ()
    if kind in ("subexpression", "index_expression"):
        return tuple(step for child in children for step in path_steps(child))
    if kind == "projection":
        return (*path_steps(children[0]), None, *path_steps(children[1]))
    if kind == "flatten":
        return path_steps(children[0])
    raise ValueError("a path to open has names, indexes and [*] only, like choices[0].message.content")
