"""The named points where a process is ended, stopped, or finds its database restarted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """A function of the package, and what has to be so that a run comes there.

    `callbacks`: callbacks wait in the inbox; `crashed`: an earlier run died in the middle of its calls; `overdue`:
    the callback never comes, so that the deadline passes; `hit`: how often it is passed before.
    """

    name: str
    when: str = "after"
    callbacks: bool = False
    crashed: bool = False
    overdue: bool = False
    hit: int = 1

    def __str__(self) -> str:
        return f"{self.when} {self.name}" + (f" ({self.hit})" if self.hit > 1 else "")


ENGINE = (
    Point("store.runs.claims:start_runner"),
    Point("store.runs.claims:retire_expired_runners"),
    Point("store.runs.claims:find_runnable"),
    Point("store.runs.claims:claim", "before"),
    Point("store.runs.claims:claim"),
    Point("store.runs.contexts:load_items"),
    Point("engine.run.item:run_step", "before"),
    Point("engine.run.item:run_step"),
    Point("engine.calls.call:_intend", "before"),
    Point("store.runs.claims:alive"),
    Point("store.money.budgets:lock"),
    Point("store.calls.ledger:intend", "before"),
    Point("store.calls.ledger:intend"),
    Point("engine.calls.call:_intend"),
    Point("wire.transport:send", "before"),
    Point("wire.transport:send"),
    Point("store.calls.ledger:receive", "before"),
    Point("store.calls.ledger:receive"),
    Point("engine.commit.group_writer:GroupWriter.receive"),
    Point("engine.decisions.decision:decide"),
    Point("engine.decisions.outcome:conclude", "before"),
    Point("store.calls.ledger:apply", "before"),
    Point("store.calls.ledger:apply"),
    Point("store.money.budgets:save"),
    Point("engine.decisions.outcome:conclude"),
    Point("engine.calls.single_flight:adopt", "before"),
    Point("store.runs.claims:release"),
    Point("store.states.batch_states:adopt_shared_answers"),
    Point("store.states.batch_states:settle_batch", "before"),
    Point("store.runs.claims:end_runner", "before"),
    Point("engine.run.item:take_callback", "before", callbacks=True),
    Point("engine.run.item:take_callback", callbacks=True),
    Point("engine.decisions.decision:decide_callback", callbacks=True),
    Point("engine.calls.call:recover", "before", crashed=True),
    Point("engine.calls.call:recover", crashed=True),
    Point("engine.calls.polling:_poll", "before", overdue=True),
    Point("engine.calls.polling:_read", "before", overdue=True),
    Point("engine.calls.polling:_poll", overdue=True),
)
ASSET = (
    Point("store.results.destinations:ensure_table"),
    Point("store.results.destinations:upsert"),
    Point("store.states.transitions:mark_stored", "before"),
    Point("store.states.transitions:mark_stored"),
)
RUN = (
    Point("services.batches.items:create_items", "before"),
    Point("services.batches.items:create_items"),
    Point("engine.decisions.outcome:conclude", hit=5),
    Point("services.batches.advancing:advance_batch"),
    Point("services.batches.storing:store_results"),
    Point("assets.enrichment:step_metadata"),
    Point("assets.enrichment:step_metadata", hit=2),
    Point("warehouse.sources:publish_batch_sources"),
    Point("warehouse.building:_write", hit=2),
    Point("warehouse.building:build_models"),
    Point("warehouse.testing:run_tests", "before", hit=3),
    Point("warehouse.publishing:publish_marts", "before"),
    Point("warehouse.publishing:_replace"),
    Point("warehouse.publishing:_replace", hit=2),
    Point("warehouse.publishing:_load"),
    Point("warehouse.publishing:publish_marts"),
    Point("services.batches.advancing:mark_extracted", "before"),
    Point("services.batches.advancing:mark_extracted"),
)
"""In the process of a Dagster run: items, steps part done, before each report, Parquet, publication in the middle."""

DROPPED = (
    Point("services.uploads.upload:upload_file"),
    Point("services.batches.launching:launch", "before"),
    Point("services.batches.launching:launch"),
    Point("services.uploads.inbox_folder:_move"),
    Point("services.uploads.inbox_folder:take_in"),
)
"""In the daemon, while a sensor takes in a file."""

TICK = ("TICK_CREATED", "TICK_HELD", "RUN_IDS_RESERVED", "RUN_CREATED", "RUN_LAUNCHED")
"""In the daemon, between a sensor's answer and its cursor, by Dagster's own names."""

RECEIVER = (
    Point("receiver.writer:InboxWriter.submit", "before"),
    Point("receiver.writer:store_callbacks", "before"),
    Point("receiver.writer:store_callbacks"),
    Point("store.inbox.callbacks:prepare_session"),
)
DEPARTURE = Point("wire.transport:_Flight.leave", "before")
"""The connection stands and the request is ready; what follows is the last look at the lease, and the write."""

STOPPED = (
    DEPARTURE,
    Point("wire.transport:send", "before"),
    Point("store.calls.ledger:intend"),
    Point("engine.calls.call:_intend"),
    Point("wire.transport:send"),
    Point("store.calls.ledger:apply", "before"),
)
RESTARTED = (
    Point("store.calls.ledger:intend"),
    Point("wire.transport:send"),
    Point("store.calls.ledger:apply"),
)
REUSING = (
    Point("store.calls.questions:find"),
    Point("store.calls.reuse:take", "before"),
    Point("store.calls.reuse:take"),
    Point("engine.calls.reuse:_take"),
    Point("engine.calls.single_flight:adopt", "before"),
)
EVERY = (*ENGINE, *ASSET, *REUSING, *STOPPED, *RESTARTED, *RECEIVER, *RUN, *DROPPED)
"""All that are functions of the package."""
