"""How long to wait before the next attempt: exponential, full jitter, never shorter than the provider asked for."""

from __future__ import annotations

import random

from enrichment_assets.domain.patience import Retry

_chance = random.Random()  # noqa: S311 - jitter, not a secret


def delay_before(attempt: int, retry: Retry, asked: float = 0.0, chance: random.Random | None = None) -> float:
    """Seconds before attempt number `attempt` (2 is the first repeat).

    Args:
        attempt: The attempt that follows the wait.
        retry: Bounds: the jitter is uniform between 0 and min(max, base * 2^(attempt - 2)).
        asked: What the provider asked for (`retry-after`); a floor, not cut by `retry.max`.
        chance: Source of randomness, for tests.
    """
    ceiling = min(retry.max, retry.base * 2.0 ** min(attempt - 2, 60))
    return asked + (chance or _chance).uniform(0.0, ceiling)
