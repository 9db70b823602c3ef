"""The guard of a batch: it pauses itself when too many of a workflow's calls fail (`domain.pipeline.Guard`).

It speaks once: who resumes the batch has seen what it said, and is not stopped by it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from enrichment_assets.domain import pipeline

ACTOR = "dagster:guard"
"""Who pauses a batch for its guard."""


@dataclass(slots=True)
class ErrorGuard:
    """How many calls of each workflow ended, earlier runs included, and how many failed.

    Attributes:
        spoke: Why the batch is to be paused; None: nothing is wrong so far.
    """

    limit: pipeline.Guard
    ended: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    spoke: str | None = None

    @classmethod
    def after(cls, limit: pipeline.Guard, before: Mapping[str, tuple[int, int]]) -> ErrorGuard:
        """A guard that knows what earlier runs saw: workflow slug -> (calls that ended, those of them that failed)."""
        return cls(
            limit,
            Counter({slug: ended for slug, (ended, _) in before.items()}),
            Counter({slug: failed for slug, (_, failed) in before.items()}),
        )

    def saw(self, slug: str, *, failed: bool) -> bool:
        """Count a call that ended; True where the batch is to be paused for it, the first time only."""
        self.ended[slug] += 1
        self.failed[slug] += failed
        if not failed or self.spoke is not None or not self.limit.too_many(self.failed[slug], self.ended[slug]):
            return False
        share = f"{self.limit.failed:.0%} of the first {self.limit.of_first} or more"
        self.spoke = f"{self.failed[slug]} of {self.ended[slug]} calls of {slug} failed (guard: {share})"
        return True
