"""Overpass QL, as far as questions about places need it: read into statements, or refused as the real server does.

wiki.openstreetmap.org/wiki/Overpass_API/Overpass_QL. Understood: settings; `node`, `way`, `relation`, `nwr` and the
like with filters by tag, area, bounding box, surroundings, id and input set; `area`; unions; `map_to_area`; `>`; `out`.
"""

from __future__ import annotations

import re

from enrichment_assets.sandbox.web.overpass_tree import BadQuery, Out, Query, Script, Statement, Step, TagFilter, Union

_KINDS = {
    "node": ("node",),
    "way": ("way",),
    "relation": ("relation",),
    "rel": ("relation",),
    "nwr": ("node", "way", "relation"),
    "nw": ("node", "way"),
    "nr": ("node", "relation"),
    "wr": ("way", "relation"),
    "area": ("area",),
}
_SETTING = re.compile(r"\s*\[\s*(\w+)\s*:\s*([^\]]*)\]")
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<arrow>->)
    | (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
    | (?P<sign>!~|!=|[~=()\[\];.,:!<>-])
    | (?P<word>[A-Za-z_]\w*)
    )""",
    re.VERBOSE,
)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def parse(text: str) -> Script:
    """Read a query; raises `BadQuery`."""
    text = _COMMENT.sub(" ", text)
    script, position = Script(), 0
    while found := _SETTING.match(text, position):
        script.settings[found[1]] = found[2].strip()
        position = found.end()
    if script.settings:
        end = re.compile(r"\s*;").match(text, position)
        if end is None:
            raise BadQuery("line 1: parse error: ';' expected after the settings")
        position = end.end()
    reader = _Reader(_tokens(text, position))
    while not reader.is_done:
        script.statements.append(reader.statement())
    if not script.statements:
        raise BadQuery("line 1: parse error: Unexpected end of input.")
    return script


def _tokens(text: str, position: int) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            line = text.count("\n", 0, position) + 1
            raise BadQuery(f"line {line}: parse error: Unknown token near {text[position : position + 20].strip()!r}")
        kind = str(match.lastgroup)
        found.append((kind, match[kind]))
        position = match.end()
    return found


class _Reader:
    """Goes through the tokens of a query."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def is_done(self) -> bool:
        return self._at >= len(self._tokens)

    def statement(self) -> Statement:
        """One statement with its semicolon."""
        made = self._one()
        self._expect(";")
        return made

    def _one(self) -> Statement:
        if self._takes("("):
            members: list[Statement] = []
            while not self._takes(")"):
                if self._peek() == "-":
                    raise BadQuery("line 1: this server reads no differences")
                members.append(self.statement())
            return Union(tuple(members), self._into())
        source = self._name() if self._takes(".") else "_"
        word = self._next()
        if word == ">":
            return Step(word, source, self._into())
        if word == "out":
            return self._out(source)
        if word == "map_to_area":
            return Step(word, source, self._into())
        if word == ";":
            self._at -= 1
            return Step("item", source)
        if word in _KINDS:
            return self._query(_KINDS[word])
        raise BadQuery(f"line 1: parse error: Unknown type {word!r}")

    def _query(self, kinds: tuple[str, ...]) -> Query:
        said: dict[str, list[object]] = {}
        while (sign := self._peek()) in {"[", "(", "."}:
            self._at += 1
            if sign == "[":
                said.setdefault("tags", []).append(self._tag())
            elif sign == ".":
                said.setdefault("inputs", []).append(self._name())
            else:
                name, value = self._place()
                said.setdefault(name, []).append(value)
        single = {name: said.pop(name)[-1] for name in ("box", "around") if name in said}
        several = {name: tuple(values) for name, values in said.items()}
        return Query(kinds, into=self._into(), **several, **single)  # type: ignore[arg-type]

    def _tag(self) -> TagFilter:
        if self._takes("!"):
            key = self._text()
            self._expect("]")
            return TagFilter(key, "!")
        key = self._text()
        if self._takes("]"):
            return TagFilter(key)
        operator = self._next()
        if operator not in {"=", "!=", "~", "!~"}:
            raise BadQuery(f"line 1: parse error: ']' expected - {operator!r} found")
        value = self._text()
        ignores_case = self._takes(",") and self._next() == "i"
        self._expect("]")
        return TagFilter(key, operator, value, ignores_case)

    def _place(self) -> tuple[str, object]:
        """What stands in round brackets behind a kind: a box, an area, surroundings or an id."""
        if self._takes("area"):
            if self._takes(":"):
                found: tuple[str, object] = ("area_ids", int(self._number()))
            else:
                found = ("areas", self._name() if self._takes(".") else "_")
        elif self._takes("around"):
            name = self._name() if self._takes(".") else ""
            self._expect(":")
            radius = self._number()
            point = (self._more(), self._more()) if self._peek() == "," else None
            found = ("around", (radius, name or "_", point))
        elif self._takes("id"):
            self._expect(":")
            found = ("ids", int(self._number()))
        else:
            first = self._number()
            is_box = self._peek() == ","
            found = ("box", (first, self._more(), self._more(), self._more())) if is_box else ("ids", int(first))
        self._expect(")")
        return found

    def _out(self, source: str) -> Out:
        words: list[str] = []
        at_most = None
        while self._peek() != ";":
            word = self._next()
            if word.isdigit():
                at_most = int(word)
            else:
                words.append(word)
        return Out(source, frozenset(words), at_most)

    def _into(self) -> str:
        if not self._takes("->"):
            return "_"
        self._expect(".")
        return self._name()

    def _more(self) -> float:
        self._expect(",")
        return self._number()

    def _number(self) -> float:
        text = self._next()
        try:
            return float(text)
        except ValueError as error:
            raise BadQuery(f"line 1: parse error: Number expected - {text!r} found") from error

    def _text(self) -> str:
        kind, text = self._token()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind not in {"word", "number"}:
            raise BadQuery(f"line 1: parse error: Key expected - {text!r} found")
        return text

    def _name(self) -> str:
        kind, text = self._token()
        if kind != "word":
            raise BadQuery(f"line 1: parse error: Variable expected - {text!r} found")
        return text

    def _peek(self) -> str:
        return self._tokens[self._at][1] if not self.is_done else ""

    def _takes(self, text: str) -> bool:
        if self._peek() != text:
            return False
        self._at += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._takes(text):
            raise BadQuery(f"line 1: parse error: {text!r} expected - {self._peek()!r} found.")

    def _next(self) -> str:
        return self._token()[1]

    def _token(self) -> tuple[str, str]:
        if self.is_done:
            raise BadQuery("line 1: parse error: Unexpected end of input.")
        self._at += 1
        return self._tokens[self._at - 1]
