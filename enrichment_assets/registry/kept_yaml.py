"""YAML files of ours, parsed once: what they say is kept in a `__pycache__`, as Python keeps compiled modules.

A hundred files are read in each process that shows or runs anything; parsing them took as long as importing a library.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

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
        folder: Where the `__pycache__` lies. What is kept is found by the texts, so changed ones are parsed anew; who
            could write there could change the files themselves. Where nothing can be written, nothing is kept.
        about: What the texts are together, as a part of a file's name.

    Raises:
        NotYaml: One of them cannot be parsed.
    """
    digest = _digest(texts)
    place = folder / "__pycache__" / f"{about}.{sys.implementation.cache_tag}.pickle"
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


# opens files of ours: what was kept of the package's own lists and of the models'
def _kept(place: Path, digest: bytes) -> dict[str, Any] | None:
    with suppress(OSError, EOFError, ValueError, TypeError, pickle.UnpicklingError):
        found = place.read_bytes()
        if found.startswith(digest):
            return dict(pickle.loads(memoryview(found)[_DIGEST_BYTES:]))  # noqa: S301 - as trusted as the .pyc beside it
    return None


def _keep(place: Path, digest: bytes, values: dict[str, Any]) -> None:
    """Write it aside and rename, so that no reader sees half of it."""
    aside = place.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        written = digest + pickle.dumps(values)
        place.parent.mkdir(exist_ok=True)
        aside.write_bytes(written)
        aside.replace(place)
