"""A batch that is paused, cancelled, taken back, and whose people say no, at random moments while processes die."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from enrichment_assets.domain.suppression import Hasher, read_identity
from enrichment_assets.services.people.pepper import pepper_of
from tests.chaos.commit_order import asked_after_a_no, asked_while_held
from tests.chaos.crash_harness import CrashHarness, email_of
from tests.chaos.invariants import COMPANYS, broken
from tests.harness.handles import hq_of

DECIDED_ROWS = 60
STEPS = (None, None, "plain", "keyed", COMPANYS, "slow")
"""What is paused or cancelled: all of the batch, or one workflow."""


@dataclass
class DecidedBatch:
    """One batch, and what was decided about it so far.

    Attributes:
        held: The last decisions may keep the batch, or a step, from going on.
        said_no: Row number of a person -> the e-mail address that was suppressed, or was about to be.
    """

    harness: CrashHarness
    key: str
    rows: int
    held: bool = False
    said_no: dict[int, str] = field(default_factory=dict)

    def draw(self, chance: Any) -> tuple[str, dict[str, Any]]:
        """The next decision: what, and its arguments."""
        what = chance.choice(("pause", "resume", "cancel", "retry", "suppress"))
        if what == "suppress":
            row = chance.randrange(self.rows)
            self.said_no[row + 1] = email_of(self.key, row)
            return what, {"email": self.said_no[row + 1]}
        self.held = self.held or what in ("pause", "cancel")
        return what, {} if what == "resume" else {"workflow": chance.choice(STEPS)}

    def go_on(self) -> None:
        """Take back what keeps it from being finished."""
        self.harness.decide(self.key, "resume")
        self.harness.decide(self.key, "retry")
        self.held = False

    def spent_after_cancelling(self, wait: Callable[[], object]) -> list[str]:
        """Cancel all of it, and let what is under way end: no more is charged than that."""
        under_way = self.harness.decide(self.key, "cancel")
        before = self._charged()
        wait()
        self.harness.let_leases_pass()
        self.harness.first.run(self.harness.order(self.key))
        charged = self._charged() - before
        self.held = True
        return [f"{self.key}: {charged} charged after a cancellation with {under_way} calls under way"] * (
            charged > under_way
        )

    def broken(self) -> list[str]:
        """What is wrong with it once it is finished, and with the order in which it was decided and asked."""
        return [*broken(self.harness, self.key, self.rows, self.said_no), *self.out_of_order()]

    def out_of_order(self) -> list[str]:
        """What was asked after the commit of the decision against it."""
        hasher = Hasher(pepper_of(hq_of(self.harness.settings), self.harness.settings) or "")
        items = self.harness.rows(
            "select i.id, i.row_number from batch_items i join batches b on b.id = i.batch_id where b.batch_key = %s",
            self.key,
        )
        noes = [
            (item["id"], hasher.hashed(read_identity(self.said_no[item["row_number"]])))
            for item in items
            if item["row_number"] in self.said_no
        ]
        return [*asked_while_held(self.harness, self.key), *asked_after_a_no(self.harness, noes, [COMPANYS])]

    def _charged(self) -> int:
        return int(self.harness.sandbox.billing(subjects=False)["charged"])
