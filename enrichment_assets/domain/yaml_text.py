"""YAML from a person: plain data of bounded size, and every mistake a sentence.

Aliases are refused: a few lines of them stand for more than fits in memory. So is a key that comes twice, whose first
value would be lost.
"""

from __future__ import annotations

from typing import Any

import yaml
from yaml.events import AliasEvent
from yaml.nodes import MappingNode, Node, SequenceNode

from enrichment_assets.domain.errors import ConfigurationError

MAX_DEPTH = 40
MAX_CHARACTERS = 1_000_000


class _Refused(yaml.YAMLError):
    """What we do not take, said as YAML's own errors are."""


class _PlainLoader(yaml.SafeLoader):
    """`SafeLoader` without aliases, with bounded depth and unique keys."""

    _depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        """Compose one node, and count how deep it stands."""
        if self.check_event(AliasEvent):
            raise _Refused(f"line {self._line()}: aliases (*name) are not taken; write the value out")
        if self._depth >= MAX_DEPTH:
            raise _Refused(f"line {self._line()}: nested deeper than {MAX_DEPTH}")
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def _line(self) -> int:
        return int(self.peek_event().start_mark.line) + 1  # type: ignore[no-untyped-call]

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A dictionary whose keys came once each."""
        names = [key.value for key, _ in node.value if isinstance(key.value, str)]
        if len(names) != len(set(names)):
            twice = next(name for place, name in enumerate(names) if name in names[:place])
            raise _Refused(f"line {node.start_mark.line + 1}: {twice!r} comes twice")
        return super().construct_mapping(node, deep)


def line_numbers(text: str) -> dict[tuple[str | int, ...], int]:
    """The line, from 1, of everything in a YAML text, by its keys: `("request", "body", "domain")`.

    Empty where the text is no YAML; `load_yaml` says why.
    """
    try:
        root = yaml.compose(text, Loader=_PlainLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    lines: dict[tuple[str | int, ...], int] = {}
    waiting: list[tuple[tuple[str | int, ...], Node | None]] = [((), root)]
    while waiting:
        place, node = waiting.pop()
        if isinstance(node, MappingNode):
            for key, value in node.value:
                lines[(*place, key.value)] = key.start_mark.line + 1
                waiting.append(((*place, key.value), value))
        elif isinstance(node, SequenceNode):
            for number, value in enumerate(node.value):
                lines[(*place, number)] = value.start_mark.line + 1
                waiting.append(((*place, number), value))
    return lines


def load_yaml(text: str, name: str) -> Any:
    """The value that the YAML text stands for; `name` is its file's, for the message.

    Raises:
        ConfigurationError: It is too large, or no YAML, or holds what is not taken; names file and line.
    """
    if len(text) > MAX_CHARACTERS:
        raise ConfigurationError(f"{name}: is longer than {MAX_CHARACTERS:,} characters", code="file.too_long")
    try:
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506 - it is a SafeLoader
    except _Refused as error:
        raise ConfigurationError(f"{name}: {error}", code="file.yaml_refused") from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise ConfigurationError(
            f"{name}: is not YAML ({' '.join(str(error).split())[:400]})", code="file.not_yaml"
        ) from None
