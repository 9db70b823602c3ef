"""What a template may do: Jinja2's sandbox, bounded in time and output, whatever its author wrote and a cell holds.

Short templates can ask for gigabytes by padding, repeating, joining or nesting. So filters, methods and statements are
allow lists of what is linear in its input, and whatever puts texts together counts their length first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sized
from contextvars import ContextVar
from decimal import Decimal
from functools import partial, wraps
from itertools import islice
from typing import Any

from jinja2 import ChainableUndefined, Undefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.filters import do_round, make_attrgetter
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import pass_environment

from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.markdown import unformatted

MAX_TEXT = 1_000_000
"""Characters that one text may have, and that one expression may put together in all its steps times four."""

MAX_LOOPS = 1_000
"""Turns of a `{% for %}`."""

_FILTERS = """
    abs capitalize count d default dictsort e escape first float forceescape int items join last length
    list lower map max min pattern reject rejectattr replace reverse round select selectattr sort string striptags sum
    title tojson trim truncate unformatted unique upper urlencode wordcount
"""
_ITERATING = """
    dictsort items join list map max min reject rejectattr reverse select selectattr sort sum unique
"""
_TEXT_METHODS = """
    capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit islower isnumeric
    isspace istitle isupper join lower lstrip partition removeprefix removesuffix replace rfind rindex
    rpartition rsplit rstrip split splitlines startswith strip swapcase title upper
"""

FILTERS = frozenset(_FILTERS.split())
METHODS: dict[type, frozenset[str]] = {
    str: frozenset(_TEXT_METHODS.split()),
    dict: frozenset(["get", "items", "keys", "values"]),
    list: frozenset(["count", "index"]),
    tuple: frozenset(["count", "index"]),
}
"""Methods of data; every other attribute of it is undefined."""

MAX_ITEMS = 10_000
ITERATING = frozenset(_ITERATING.split())
"""Filters that look at every element of a list, and how many elements (or characters) that may be."""

STATEMENTS = (nodes.Output, nodes.If, nodes.For)
_LARGEST = 10**300
_spent: ContextVar[list[int]] = ContextVar("_spent")


def as_text(value: Any) -> str:
    """A value inside a longer text: null is nothing, booleans are JSON's, lists and objects are JSON.

    A number is written out: 1e21 is 1000000000000000000000, and no exponent leaves in a text.
    """
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, Undefined):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list | tuple):
        return json_bytes(value).decode()
    if isinstance(value, float):
        text = repr(value)
        return format(Decimal(text), "f") if "e" in text else text
    return str(value)


def bounded(evaluate: Callable[..., Any], *arguments: Any) -> Any:
    """Run an evaluation with a budget of its own for the texts that it puts together."""
    token = _spent.set([4 * MAX_TEXT])
    try:
        return evaluate(*arguments)
    finally:
        _spent.reset(token)


def joined(pieces: Iterable[Any], between: Any = "") -> str:
    """Texts put together; raises `SecurityError` before they are too long."""
    separator = as_text(between)
    texts: list[str] = []
    length = 0
    for piece in pieces:
        texts.append(as_text(piece))
        length += len(texts[-1]) + len(separator)
        if length > MAX_TEXT + len(separator):
            raise SecurityError("the text would be too long")
    _charge(length)
    return separator.join(texts)


def refuse_statements(tree: nodes.Template) -> None:
    """Raise `ValueError` for statements that could repeat or keep what they made."""
    for statement in tree.find_all(nodes.Stmt):
        if not isinstance(statement, STATEMENTS):
            raise ValueError("a template has only {{ }}, {% if %} and {% for %}")
        if isinstance(statement, nodes.For):
            inner = any(isinstance(node, nodes.For) for part in statement.body for node in _with_children(part))
            if inner or statement.recursive:
                raise ValueError("a {% for %} has no other one inside")


def rendered_whole(tree: nodes.Template) -> Callable[[Any], str]:
    """A function of the context that renders a template with statements, in bounded time and length."""
    for loop in tree.find_all(nodes.For):
        loop.iter = nodes.Filter(loop.iter, "_turns", [], [], None, None, lineno=loop.lineno)
    template = ENVIRONMENT.from_string(tree)
    return lambda context: bounded(lambda: joined(template.generate(context)))


def _with_children(node: nodes.Node) -> list[nodes.Node]:
    return [node, *node.find_all(nodes.Node)]


def _charge(length: int) -> None:
    left = _spent.get(None)
    if left is not None:
        left[0] -= length
        if left[0] < 0:
            raise SecurityError("the expression puts too much text together")


@pass_environment
def _join(environment: Any, value: Any, d: Any = "", attribute: str | int | None = None) -> str:
    pieces = value if attribute is None else map(make_attrgetter(environment, attribute), value)
    return joined(pieces, d)


def _replace(value: Any, old: Any, new: Any, count: int | None = -1) -> str:
    text, old, new = as_text(value), as_text(old), as_text(new)
    times = text.count(old) if old else len(text) + 1
    times = times if count is None or count < 0 else min(times, count)
    length = len(text) + times * (len(new) - len(old))
    if length > MAX_TEXT:
        raise SecurityError("the text would be too long")
    _charge(length)
    return text.replace(old, new, times)


def _round(value: Any, precision: int = 0, method: Any = "common") -> Any:
    return do_round(value, max(min(precision, 15), -15), method)


def _pattern(value: Any) -> str:
    """A text as a regular expression for itself, which can stand in quotes: what is no letter, digit or blank is a dot.

    `St. Andrew's "Old"` gives `St. Andrew.s .Old.`: a dot stands for any one character, so `Andrew’s` matches too.
    """
    text = " ".join(as_text(value).split())
    _charge(len(text))
    return "".join(sign if sign.isalnum() or sign == " " else "." for sign in text)


def _unformatted(value: Any) -> str:
    """A text of others as it is shown in Markdown: nothing of it makes a link, a heading or a list."""
    text = as_text(value)
    _charge(2 * len(text))
    return unformatted(text)


def _tojson(value: Any) -> str:
    """JSON as requests have it. It takes no `indent`: a number of blanks in front of every line can be any number."""
    text = json_bytes(value).decode()
    if len(text) > MAX_TEXT:
        raise SecurityError("the text would be too long")
    _charge(len(text))
    return text


def _of_few(filtering: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, for lists of a sane length; some of Jinja's take seconds for a million elements."""
    place = 1 if hasattr(filtering, "jinja_pass_arg") else 0

    @wraps(filtering)
    def call(*arguments: Any, **named: Any) -> Any:
        value = arguments[place]
        if isinstance(value, Sized) and len(value) > MAX_ITEMS:
            raise SecurityError(f"a filter goes through at most {MAX_ITEMS} elements")
        return filtering(*arguments, **named)

    return call


def _turns(value: Any) -> list[Any]:
    turns = list(islice(value or (), MAX_LOOPS + 1))
    if len(turns) > MAX_LOOPS:
        raise SecurityError(f"a loop has at most {MAX_LOOPS} turns")
    return turns


class _Generator(CodeGenerator):
    """Jinja2's compiler, whose `~` counts what it joins."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        """Write a call of `joined`."""
        self.write("environment.joined((")
        for piece in node.nodes:
            self.visit(piece, frame)
            self.write(", ")
        self.write("))")


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox without what makes a short template take gigabytes or hours."""

    code_generator_class = _Generator
    intercepted_binops = frozenset({"+", "*", "**", "%"})
    joined = staticmethod(joined)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic on numbers of a sane size only, no powers; `+` also joins two texts or two lists."""
        if isinstance(left, int | float) and isinstance(right, int | float) and operator != "**":
            result = super().call_binop(context, operator, left, right)
            if isinstance(result, int) and abs(result) > _LARGEST:
                raise SecurityError("the number is too large")
            return result
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return joined((left, right))
        if operator == "+" and isinstance(left, list) and isinstance(right, list):
            _charge(len(left) + len(right))
            return left + right
        raise SecurityError(f"{operator!r} is not for these values")

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Only methods that are linear in what they are called on."""
        names = next((names for kind, names in METHODS.items() if isinstance(obj, kind)), None)
        if names is None and isinstance(obj, int | float | bytes):
            return False
        return super().is_safe_attribute(obj, attr, value) if names is None else attr in names

    def getattr(self, obj: Any, attribute: str) -> Any:
        """An attribute or a member; texts join and replace within bounds."""
        if isinstance(obj, str) and attribute in ("join", "replace"):
            return partial(_replace, obj) if attribute == "replace" else lambda pieces: joined(pieces, obj)
        return super().getattr(obj, attribute)

    def wrap_str_format(self, value: Any) -> Any:
        """No `str.format`: a width in braces pads to gigabytes."""
        return None


def _environment() -> _Environment:
    environment = _Environment(undefined=ChainableUndefined, finalize=as_text, autoescape=False)
    environment.filters = {name: known for name, known in environment.filters.items() if name in FILTERS}
    environment.filters |= {"join": _join, "replace": _replace, "round": _round, "tojson": _tojson}
    environment.filters["pattern"] = _pattern
    environment.filters["unformatted"] = _unformatted
    environment.filters["_turns"] = _turns
    environment.filters |= {name: _of_few(environment.filters[name]) for name in ITERATING}
    environment.globals.clear()
    return environment


ENVIRONMENT = _environment()
