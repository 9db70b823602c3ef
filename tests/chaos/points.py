"""The named points where a process is ended, stopped, or finds its database restarted.

A point's name is that of a mark above a function of the package (`# crash point: ...`, `tests/harness/marks.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.harness.marks import crash_point_function


@dataclass(frozen=True)
class Point:
    """A marked function of the package, and what has to be so that a run comes there.

    `callbacks`: callbacks wait in the inbox; `crashed`: an earlier run died in the middle of its calls; `overdue`:
    the callback never comes, so that the deadline passes; `taking`: the daemon takes callbacks in, without a run;
    `decision`: what a person decides before or while it is struck (`decisions.DECISIONS`);
    `hit`: how often it is passed before; `quick`: of its group, it is among the few that `make test` strikes too.
    """

    name: str
    when: str = "after"
    callbacks: bool = False
    crashed: bool = False
    overdue: bool = False
    taking: bool = False
    decision: str = ""
    hit: int = 1
    quick: bool = False

    def __str__(self) -> str:
        return f"{self.when} {self.name}" + (f" ({self.hit})" if self.hit > 1 else "")

    def fault(self, action: str = "kill", **more: Any) -> dict[str, Any]:
        """What `faults.arm` is given, anywhere. Raises `LookupError` where the package has no mark."""
        function = crash_point_function(self.name)
        return {"function": function, "when": self.when, "action": action, "hit": 1, **more}


def quick(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """Those of a group that `make test` strikes."""
    return tuple(point for point in points if point.quick)


MAIL = (
    Point("mails-get-places", "before"),
    Point("mails-get-places"),
    Point("mail-is-begun", "before"),
    Point("mail-is-begun"),
    Point("mail-is-submitted", "before"),
    Point("mail-is-submitted"),
    Point("mails-are-settled", "before"),
    Point("mails-are-settled"),
)
"""Of a run that sends mail; `tests/mail/test_killed.py` strikes them."""

RESERVING = Point("gate-contacts-are-written")
"""In a plan of who is written to (`tests/mail/test_killed.py`)."""

WOKEN = Point("waiting-mails-are-woken")
"""In the process that adds a mailbox (`tests/mail/test_killed.py`)."""

TOLD = (
    Point("delivery-events-are-written"),
    Point("stops-are-written"),
    Point("deliveries-are-told-to-be-deleted"),
    Point("events-are-taken"),
)
"""In a process that takes what came back of deliveries (`tests/gate/test_killed.py`)."""

EVENTS_STORED = Point("event-messages-are-stored")
"""In the process that keeps what was posted, behind its commit (`tests/gate/test_killed.py`)."""

LISTENING = (
    Point("polled-pages-are-kept"),
    Point("event-readings-are-counted"),
)
"""In a process that asks a service for what came back, and reads it (`tests/outreach/test_coming_back.py`)."""

SENT = Point("request-is-sent")
ENGINE = (
    Point("run-signs-on"),
    Point("dead-runs-are-retired"),
    Point("open-items-are-found"),
    Point("items-are-claimed", "before"),
    Point("items-are-claimed"),
    Point("items-are-loaded"),
    Point("claim-is-begun", "before"),
    Point("claim-is-begun"),
    Point("step-of-an-item", "before"),
    Point("step-of-an-item"),
    Point("call-is-intended", "before"),
    Point("lease-is-checked"),
    Point("budgets-are-locked"),
    Point("intents-are-written", "before"),
    Point("intents-are-written"),
    Point("call-is-intended"),
    Point("request-is-sent", "before"),
    SENT,
    Point("answers-are-written", "before"),
    Point("answers-are-written"),
    Point("answer-is-kept"),
    Point("answer-is-read"),
    Point("call-is-concluded", "before"),
    Point("endings-are-written", "before"),
    Point("endings-are-written"),
    Point("budgets-are-saved"),
    Point("call-is-concluded"),
    Point("shared-answer-is-adopted", "before"),
    Point("items-are-released"),
    Point("left-over-answers-are-adopted"),
    Point("batch-is-settled", "before"),
    Point("run-signs-off", "before"),
    Point("callback-is-taken", "before", callbacks=True),
    Point("callback-is-taken", callbacks=True),
    Point("callback-is-read", callbacks=True),
    Point("interrupted-call-is-recovered", "before", crashed=True),
    Point("interrupted-call-is-recovered", crashed=True),
    Point("result-is-polled", "before", overdue=True),
    Point("poll-is-read", "before", overdue=True),
    Point("result-is-polled", overdue=True),
)
TAKING = tuple(
    Point(name, when, callbacks=True, taking=True)
    for name, when in (
        ("run-signs-on", "after"),
        ("items-are-claimed", "after"),
        ("items-are-loaded", "after"),
        ("callback-is-taken", "before"),
        ("callback-is-read", "after"),
        ("endings-are-written", "before"),
        ("endings-are-written", "after"),
        ("items-are-released", "after"),
        ("taken-answers-are-settled", "before"),
        ("taken-answers-are-settled", "after"),
        ("run-signs-off", "before"),
        ("callbacks-are-taken-in", "after"),
    )
)
"""In the daemon, while the callback sensor takes in what providers called back."""

ASSET = (
    Point("destination-is-made"),
    Point("values-are-stored"),
    Point("states-are-marked-stored", "before"),
    Point("states-are-marked-stored"),
)
RUN = (
    Point("items-are-created", "before"),
    Point("items-are-created"),
    Point("call-is-concluded", hit=5, quick=True),
    Point("batch-is-advanced"),
    Point("results-are-stored"),
    Point("step-is-reported"),
    Point("step-is-reported", hit=2),
    Point("sources-are-extracted"),
    Point("model-is-written", hit=2),
    Point("models-are-built"),
    Point("models-are-tested", "before", hit=3),
    Point("marts-are-published", "before"),
    Point("mart-is-replaced"),
    Point("mart-is-replaced", hit=2, quick=True),
    Point("mart-is-loaded"),
    Point("marts-are-published"),
    Point("batch-is-marked-extracted", "before"),
    Point("batch-is-marked-extracted"),
)
"""In the process of a Dagster run: items, steps part done, before each report, Parquet, publication in the middle."""

LAUNCHED = Point("batch-is-launched", quick=True)
MOVED = Point("taken-file-is-moved")
DROPPED = (
    Point("upload-is-kept"),
    Point("batch-is-launched", "before"),
    LAUNCHED,
    MOVED,
    Point("file-is-taken-in"),
)
"""In the daemon, while a sensor takes in a file."""

RUN_CREATED = "RUN_CREATED"
TICK = ("TICK_CREATED", "TICK_HELD", "RUN_IDS_RESERVED", RUN_CREATED, "RUN_LAUNCHED")
"""In the daemon, between a sensor's answer and its cursor, by Dagster's own names."""

RECEIVER = (
    Point("callback-is-submitted", "before"),
    Point("callbacks-are-stored", "before", quick=True),
    Point("callbacks-are-stored", quick=True),
    Point("inbox-session-is-prepared"),
)
DEPARTURE = Point("request-departs", "before")
"""The connection stands and the request is ready; what follows is the last look at the lease, and the write."""

BEHIND_THE_INTENT = (DEPARTURE, Point("request-is-sent", "before"))
"""Between a call's intent and the wire."""

STOPPED = (
    *BEHIND_THE_INTENT,
    Point("intents-are-written"),
    Point("call-is-intended", quick=True),
    Point("request-is-sent", quick=True),
    Point("endings-are-written", "before"),
)
RESTARTED = (
    Point("intents-are-written"),
    Point("request-is-sent"),
    Point("endings-are-written", quick=True),
)
REUSING = (
    Point("known-answers-are-found"),
    Point("reused-answers-are-written", "before"),
    Point("reused-answers-are-written"),
    Point("answer-is-reused"),
    Point("shared-answer-is-adopted", "before"),
)
BULK = (
    Point("bulk-call-is-intended", "before"),
    Point("members-are-listed", "before"),
    Point("members-are-listed"),
    Point("bulk-call-is-intended"),
    Point("request-is-sent"),
    Point("bulk-attempt-is-made"),
    Point("bulk-answers-are-written", "before"),
    Point("bulk-answers-are-written"),
    Point("bulk-answer-is-read", "before"),
    Point("bulk-answer-is-read"),
    Point("call-is-concluded", hit=2),
    Point("endings-are-written"),
)
"""Where one request carries the calls of all rows."""

BULK_LATER = (
    Point("bulk-callback-is-read", "before", callbacks=True),
    Point("bulk-callback-is-read", callbacks=True),
    Point("callback-is-taken", hit=2, callbacks=True),
)
"""Where one callback answers the calls of all rows."""

ORDER_PLACED = Point("order-is-placed")
ORDERS = (
    Point("bulk-call-is-intended"),
    Point("order-is-placed", "before"),
    ORDER_PLACED,
    Point("bulk-attempt-is-made"),
    Point("bulk-answers-are-written"),
    Point("endings-are-written"),
    Point("order-is-looked-for", "before", crashed=True),
    Point("order-is-looked-for", crashed=True),
    Point("results-are-fetched", "before", overdue=True),
    Point("results-are-fetched", overdue=True),
    Point("bulk-answers-are-written", overdue=True),
    Point("line-is-read", "before", overdue=True),
    Point("line-is-read", hit=3, overdue=True),
)
"""Where one order to a vendor's batch API carries all rows, and where its results are fetched."""

DECIDED = (
    Point("unsent-states-are-cancelled", "before", decision="cancel"),
    Point("unsent-states-are-cancelled", decision="cancel"),
    Point("planned-deliveries-are-ended", decision="cancel"),
    Point("holds-are-written", decision="cancel"),
    Point("batch-is-held", decision="cancel", quick=True),
    Point("holds-are-written", "before", decision="pause"),
    Point("holds-are-written", decision="pause", quick=True),
    Point("batch-is-held", decision="pause"),
    Point("holds-are-written", decision="resume", quick=True),
    Point("batch-is-resumed", decision="resume"),
    Point("cancellation-is-taken-back", "before", decision="retry"),
    Point("cancellation-is-taken-back", decision="retry", quick=True),
    Point("chosen-states-are-asked", "before", decision="ask"),
    Point("chosen-states-are-asked", decision="ask", quick=True),
    Point("suppressions-are-written", "before", decision="suppress"),
    Point("suppressions-are-written", decision="suppress", quick=True),
    Point("person-is-suppressed", decision="suppress"),
)
"""In the process of whoever pauses, cancels, takes that back, or suppresses a person, beside a run."""

HEEDED = (
    Point("holds-are-heeded", "before", decision="cancel"),
    Point("holds-are-heeded", hit=2, decision="cancel"),
    Point("new-states-are-cancelled", decision="cancel", quick=True),
    Point("holds-are-heeded", hit=2, decision="pause"),
    Point("suppressed-items-are-marked", "before", decision="suppress"),
    Point("suppressed-items-are-marked", decision="suppress", quick=True),
    Point("call-is-intended", decision="suppress"),
)
"""In a run that meets what was decided before it began."""

BULK_STORED = Point("bulk-callbacks-are-stored", quick=True)
ATTEMPTED, READ = Point("attempt-is-made"), Point("answer-is-read", "before")
POLL_READ, INSERTED = Point("poll-is-read", "before"), Point("batch-is-inserted", "before")
SHARED = (
    Point("generation-is-swapped", "before"),
    Point("generation-is-swapped"),
    Point("generations-are-swept"),
    Point("generation-is-fetched"),
)
"""Where the warehouse is in an object store (`tests/objects`)."""

SINGLE = (ATTEMPTED, READ, POLL_READ, INSERTED)
"""What tests of other folders strike."""

ERASING = (
    Point("erasure-is-asked-for"),
    Point("erasure-is-in-the-journal"),
    Point("upload-is-rewritten"),
    Point("progress-is-noted", "before"),
    Point("mentions-are-blacked-out"),
    Point("own-rows-are-emptied", hit=3),
    Point("bodies-are-taken-out", hit=2),
    Point("progress-is-noted", hit=4),
    Point("destination-rows-are-deleted"),
    Point("batch-is-written-anew", "before"),
    Point("batch-is-written-anew"),
    Point("texts-are-blacked-out", hit=3),
    Point("file-is-overwritten", hit=2),
    Point("erasure-is-certified", "before"),
    Point("erasure-is-certified"),
)
"""In a command that erases a person, one after another: each resumes what the one before has left."""

FAMILIES = (
    Point("family-rows-are-written"),
    Point("family-rows-are-written", hit=2),
    Point("families-are-noted", "before"),
    Point("families-are-noted"),
)
"""Where a row and its children are written together: between two of their tables, behind both, around the note."""

GATHERING = (
    Point("part-is-added", "before"),
    Point("part-is-added"),
    Point("rows-are-gathered"),
)
"""In a process that takes leads one after another (`tests/sources`)."""

SOURCES = (
    Point("table-rows-are-claimed", "before"),
    Point("table-rows-are-claimed"),
    Point("new-rows-are-taken"),
    Point("table-is-written-back"),
    Point("table-rows-are-ended", "before"),
    Point("table-rows-are-ended"),
    Point("finished-rows-are-written-back", "before"),
    Point("finished-rows-are-written-back"),
)
"""In the daemon that looks at a table of the workspace (`tests/sources`)."""

CAMPAIGNS = (
    Point("campaign-is-claimed"),
    Point("campaign-is-noted", "before"),
    Point("campaign-is-noted"),
    Point("campaign-activation-is-noted", "before"),
    Point("campaign-activation-is-noted"),
)
"""A campaign is made at Instantly, and activated (`tests/outreach`)."""

PULLED = Point("pulled-page-is-kept", hit=9)
"""In a sync of Instantly, between the answer and its commit (`tests/systems`)."""

PLANNING = (
    Point("delivery-is-noted"),
    Point("plan-is-written", "before"),
    Point("plan-is-written"),
)
DELIVERING = (
    Point("planned-leads-are-loaded"),
    Point("identities-are-claimed"),
    Point("intents-are-written", "before"),
    Point("intents-are-written"),
    Point("call-is-intended"),
    Point("request-is-sent", "before"),
    SENT,
    Point("answers-are-written", "before"),
    Point("answers-are-written"),
    Point("endings-are-written", "before"),
    Point("endings-are-written"),
    Point("call-is-concluded"),
    Point("items-are-released"),
    Point("deliveries-are-settled", "before"),
    Point("deliveries-are-settled"),
    Point("interrupted-call-is-recovered", crashed=True),
)
"""In a run that takes leads to a destination, after `PLANNING` in the process that plans them."""

EVERY = (
    *ENGINE,
    *SOURCES,
    *GATHERING,
    PULLED,
    *CAMPAIGNS,
    *ERASING,
    *TAKING,
    *ASSET,
    *REUSING,
    *FAMILIES,
    *BULK,
    *BULK_LATER,
    *ORDERS,
    BULK_STORED,
    *STOPPED,
    *RESTARTED,
    *RECEIVER,
    *RUN,
    *DROPPED,
    *SHARED,
    *SINGLE,
    *DECIDED,
    *HEEDED,
    *PLANNING,
    *DELIVERING,
    *MAIL,
    RESERVING,
    WOKEN,
    *TOLD,
    EVENTS_STORED,
    *LISTENING,
)
"""All that are functions of the package."""
