"""Chance that repeats itself: every draw follows from the identity that the dice were made with.

Only `random.Random(int).random()` is used: Python guarantees that it gives the same numbers in every version, process
and platform, which `choice` and `randrange` do not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import blake2b
from random import Random
from typing import TypeVar

T = TypeVar("T")

_SIGN = 1 << 63


def digest(*identity: object, size: int = 8) -> bytes:
    """`size` bytes that depend on nothing but the text of `identity`, in its order."""
    return blake2b("\x1f".join(map(str, identity)).encode("utf-8", "surrogatepass"), digest_size=size).digest()


def hex_id(*identity: object) -> str:
    """24 hex digits: the shape of Apollo's ids."""
    return digest(*identity, size=12).hex()


def signed_64(*identity: object) -> int:
    """A signed 64-bit integer, negative half of the time: the shape of Apollo's request ids."""
    number = int.from_bytes(digest(*identity), "big")
    return number - (1 << 64) if number & _SIGN else number


class SeededRandom:
    """A stream of draws for one identity: the same identity always gives the same stream."""

    __slots__ = ("roll",)

    def __init__(self, *identity: object) -> None:
        self.roll = Random(int.from_bytes(digest(*identity), "big")).random  # noqa: S311 - simulation, not secrets

    def chance(self, share: float) -> bool:
        """True in `share` of all cases (0 never, 1 always)."""
        return self.roll() < share

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self.roll() * (high - low + 1))

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[int(self.roll() * len(options))]

    def some(self, options: Sequence[T], count: int) -> list[T]:
        """Up to `count` different options, in the order of the list: a random start and stride."""
        size = len(options)
        start, stride = int(self.roll() * size), 1 + int(self.roll() * (size // max(count, 1) or 1))
        seen = {(start + step * stride) % size for step in range(count)}
        return [options[place] for place in sorted(seen)]

    def normal(self) -> float:
        """A draw of the standard normal distribution (Box-Muller)."""
        return math.sqrt(-2.0 * math.log(1.0 - self.roll())) * math.cos(math.tau * self.roll())
