"""YAML files of ours, parsed once: what they say is kept in a `__pycache__`, as Python keeps compiled modules.

A hundred files are read in each process that shows or runs anything; parsing them took as long as importing a library.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import orjson

_DIGEST_BYTES = 32


class NotYaml(Exception):
    """A file that cannot be parsed; `name` is the one of the texts."""

    def __init__(self, name: str, why: Exception) -> None:
        super().__init__(str(why))
        self.name = name


def documents(texts: Mapping[str, str], folder: Path, about: str) -> dict[str, Any]:
    """What each text says, by its name.

    For files of ours alone: the fast parser takes aliases and double keys, and its depth is bounded by the stack.

    Args:
        texts: Name -> YAML.
        folder: Where the `__pycache__` lies. What is kept is found by the texts, so changed ones are parsed anew. It is
            kept as JSON, which runs nothing when it is read. Where nothing can be written, nothing is kept.
        about: What the texts are together, as a part of a file's name.

    Raises:
        NotYaml: One of them cannot be parsed.
    """
    digest = _digest(texts)
    place = folder / "__pycache__" / f"{about}.{sys.implementation.cache_tag}.kept"
    kept = _kept(place, digest)
    if kept is None:
        kept = {name: _parsed(name, text) for name, text in texts.items()}
        _keep(place, digest, kept)
    return kept


def _parsed(name: str, text: str) -> Any:
    import yaml  # not where everything is kept

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except yaml.YAMLError as error:
        raise NotYaml(name, error) from error


def _digest(texts: Mapping[str, str]) -> bytes:
    """Of all names and texts, and of the Python that kept it."""
    hashed = hashlib.blake2b(sys.version.encode(), digest_size=_DIGEST_BYTES)
    for name, text in texts.items():
        hashed.update(f"{len(name)} {len(text)} {name}{text}".encode())
    return hashed.digest()


def _days(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where dates stand, which JSON has as text."""
    if isinstance(value, date):
        yield place
    elif isinstance(value, dict | list):
        for key, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _days(member, (*place, key))


def _read(written: bytes) -> dict[str, Any]:
    values, days = orjson.loads(written)
    for *above, last in days:
        around = reduce(getitem, above, values)
        around[last] = date.fromisoformat(around[last])
    return dict(values)


# opens files of ours: what was kept of the package's own lists and of the models'
def _kept(place: Path, digest: bytes) -> dict[str, Any] | None:
    with suppress(OSError, ValueError, TypeError, LookupError):
        found = place.read_bytes()
        if found.startswith(digest):
            return _read(found[_DIGEST_BYTES:])
    return None


def _keep(place: Path, digest: bytes, values: dict[str, Any]) -> None:
    """Write it aside and rename, so that no reader sees half of it. What JSON does not say as it is, is not kept."""
    aside = place.with_suffix(f".{os.getpid()}")
    with suppress(OSError, TypeError, ValueError):
        written = orjson.dumps([values, list(_days(values))])
        if _read(written) != values:
            return
        place.parent.mkdir(exist_ok=True)
        aside.write_bytes(digest + written)
        aside.replace(place)
