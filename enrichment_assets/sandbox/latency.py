"""How long something takes: a fixed time or a distribution, written as one short text.

`50ms`, `1.5s` or a bare number of seconds is fixed; `20ms-80ms` is uniform; `exp:50ms` is exponential with that mean;
`lognormal:50ms:0.5` has that median and that sigma, which is what response times of real services look like.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from enrichment_assets.domain.durations import parse_duration
from enrichment_assets.sandbox.seeded_random import SeededRandom


@dataclass(frozen=True, slots=True)
class Latency:
    """A parsed distribution; `first` and `second` are seconds (or the sigma of a log-normal)."""

    kind: str
    first: float
    second: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Latency:
        """Read one of the forms of the module docstring; raises `ValueError` with the form that was expected."""
        kind, _, rest = text.strip().partition(":")
        if kind == "exp" and rest:
            return cls("exp", _seconds(rest))
        if kind == "lognormal" and rest:
            median, _, sigma = rest.partition(":")
            return cls("lognormal", _seconds(median), float(sigma or 0.5))
        low, dash, high = text.partition("-")
        if dash:
            return cls("uniform", _seconds(low), _seconds(high))
        return cls("fixed", _seconds(text))

    @property
    def is_zero(self) -> bool:
        """Whether nothing is ever waited for."""
        return self.first == 0 and self.second == 0

    def sample(self, rng: SeededRandom) -> float:
        """Seconds for one occasion."""
        if self.kind == "uniform":
            return self.first + (self.second - self.first) * rng.roll()
        if self.kind == "exp":
            return -self.first * math.log(1.0 - rng.roll())
        if self.kind == "lognormal":
            return self.first * math.exp(self.second * rng.normal())
        return self.first


def _seconds(text: str) -> float:
    value = parse_duration(text)
    try:
        seconds = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        seconds = -1.0
    if seconds < 0:
        raise ValueError(f"{text!r} is no duration: write 50ms, 1.5s, 20ms-80ms, exp:50ms or lognormal:50ms:0.5")
    return seconds
