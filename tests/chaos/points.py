"""The named points where a process is ended, stopped, or finds its database restarted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """A function of the package, and what has to be so that a run comes there.

    `callbacks`: callbacks wait in the inbox; `crashed`: an earlier run died in the middle of its calls; `overdue`:
    the callback never comes, so that the deadline passes.
    """

    name: str
    when: str = "after"
    callbacks: bool = False
    crashed: bool = False
    overdue: bool = False

    def __str__(self) -> str:
        return f"{self.when} {self.name}"


ENGINE = (
    Point("store.claims:start_runner"),
    Point("store.claims:retire_expired_runners"),
    Point("store.claims:find_runnable"),
    Point("store.claims:claim", "before"),
    Point("store.claims:claim"),
    Point("store.contexts:load_items"),
    Point("engine.items:run_step", "before"),
    Point("engine.items:run_step"),
    Point("engine.calls:_intend", "before"),
    Point("store.claims:alive"),
    Point("store.budgets:lock"),
    Point("store.ledger:intend", "before"),
    Point("store.ledger:intend"),
    Point("engine.calls:_intend"),
    Point("resources.transport:send", "before"),
    Point("resources.transport:send"),
    Point("store.ledger:receive", "before"),
    Point("store.ledger:receive"),
    Point("engine.group_writer:GroupWriter.receive"),
    Point("engine.answers:decide"),
    Point("engine.calls:conclude", "before"),
    Point("store.ledger:apply", "before"),
    Point("store.ledger:apply"),
    Point("store.budgets:save"),
    Point("engine.calls:conclude"),
    Point("engine.sharing:adopt", "before"),
    Point("store.claims:release"),
    Point("store.states:adopt_shared_answers"),
    Point("store.states:settle_batch", "before"),
    Point("store.claims:end_runner", "before"),
    Point("engine.items:take_callback", "before", callbacks=True),
    Point("engine.items:take_callback", callbacks=True),
    Point("engine.answers:decide_callback", callbacks=True),
    Point("engine.calls:recover", "before", crashed=True),
    Point("engine.calls:recover", crashed=True),
    Point("engine.items:_poll", "before", overdue=True),
    Point("engine.items:_poll", overdue=True),
)
ASSET = (
    Point("store.destinations:ensure_table"),
    Point("store.destinations:upsert"),
    Point("store.destinations:mark_stored", "before"),
    Point("store.destinations:mark_stored"),
)
RECEIVER = (
    Point("receiver.writer:InboxWriter.submit", "before"),
    Point("receiver.writer:store_callbacks", "before"),
    Point("receiver.writer:store_callbacks"),
    Point("store.inbox:prepare_session"),
)
DEPARTURE = Point("resources.transport:_Flight.leave", "before")
"""The connection stands and the request is ready; what follows is the last look at the lease, and the write."""

STOPPED = (
    DEPARTURE,
    Point("resources.transport:send", "before"),
    Point("store.ledger:intend"),
    Point("engine.calls:_intend"),
    Point("resources.transport:send"),
    Point("store.ledger:apply", "before"),
)
RESTARTED = (
    Point("store.ledger:intend"),
    Point("resources.transport:send"),
    Point("store.ledger:apply"),
)
REUSING = (
    Point("store.questions:find"),
    Point("store.reuse:take", "before"),
    Point("store.reuse:take"),
    Point("engine.reuse:_take"),
    Point("engine.sharing:adopt", "before"),
)
