"""Rules over batches that were launched, and what the channels at the sandbox took."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from enrichment_assets.domain.alerts.kinds import Kind, read_threshold
from enrichment_assets.services.alerts import ruling, watching
from enrichment_assets.wire.channels import Address
from tests.actors import TESTER
from tests.harness.batches import BatchHarness
from tests.harness.handles import hq_of

SLACK, PAGER, HOOK = (Address.parse(text) for text in ("slack:OPS_SLACK", "pagerduty:OPS_PAGER", "webhook:OPS_HOOK"))


class Watch:
    """What a test sets, lets pass and reads."""

    def __init__(self, harness: BatchHarness) -> None:
        self.harness = harness
        self.settings = harness.settings
        self.hq = hq_of(harness.settings)

    def rule(self, kind: Kind, channel: Address = SLACK, threshold: str | None = None, **more: Any) -> int:
        wanted = ruling.Wanted(kind, read_threshold(kind, threshold), channel, **more)
        return ruling.add(self.hq, [wanted], actor=TESTER)[0].id

    def round(self) -> watching.Round:
        return watching.watch(self.hq, self.settings, 20)

    def texts(self) -> list[str]:
        """What Slack was told so far."""
        return [one["message"]["text"] for one in self.harness.sandbox.messages()["messages"]["slack"]]

    def summaries(self) -> list[str]:
        """What is open now, the oldest first."""
        found = ruling.list_incidents(self.hq, client=None, limit=99, only_open=True)
        return [one.summary for one in reversed(found)]

    def change(self, statement: str, *values: Any) -> None:
        self.harness.hq.execute(cast("Any", statement), values)
        self.harness.hq.commit()

    def later(self, **delta: float) -> None:
        """As if so much time had passed for what is noted of alerts."""
        back = timedelta(**delta)
        for table, columns in (
            ("alert_incidents", ("missing_since", "closed_at", "opened_at")),
            ("alert_notices", ("due_at", "claimed_until")),
            ("alert_channels", ("rests_until",)),
        ):
            moved = ", ".join(f"{column} = {column} - %(back)s" for column in columns)
            self.harness.hq.execute(cast("Any", f"update {table} set {moved}"), {"back": back})
        self.harness.hq.commit()

    def rows(self, query: str) -> Sequence[dict[str, Any]]:
        with self.hq.transaction() as connection:
            return connection.execute(cast("Any", query)).fetchall()
