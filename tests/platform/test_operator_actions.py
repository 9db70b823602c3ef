"""Whoever changes something is written down, once, in the transaction of the change."""

from __future__ import annotations

from tests.platform.changing_services import changing_services

CARRIED_OUT = "the engine and Dagster's assets carry out what somebody launched"
WITHOUT_ACTOR = {
    "batches.advancing.advance_batch": CARRIED_OUT,
    "batches.advancing.mark_extracted": CARRIED_OUT,
    "batches.items.create_items": CARRIED_OUT,
    "batches.items.lay_out": CARRIED_OUT,
    "batches.storing.store_results": CARRIED_OUT,
    "operations.recovery.list_ambiguous": "it reads; its lock retires runs that are over, as any run does",
    "operations.recovery.locked": "it locks for those who change something",
    "operations.recovery.wake_again": "it repeats the waking of a change that was made",
}
"""Services that write and take no actor, each with its reason."""


def test_every_service_that_changes_something_takes_an_actor() -> None:
    found = changing_services()
    assert len(found) > 25
    without = {name for name, service in found.items() if "actor" not in service.parameters}
    assert without == WITHOUT_ACTOR.keys()
