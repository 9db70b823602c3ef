"""Reading bodies so that none of them can stop a batch: large ones off the event loop, suspects alone and counted.

A body that was begun to be read by a run that is gone is a suspect. Suspects are read one after the other, each counted
durably before (`store.calls.readings`), so that only the body that a process really dies of is counted again and again.
"""

from __future__ import annotations

import asyncio

from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.statuses import InboxStatus
from enrichment_assets.engine.decisions.decision import Decision, decide, decide_callback, unreadable
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.store.runs.contexts import Callback

LARGE = 256 * 1024
"""Bytes from which a body is read in a thread: heartbeats and other answers go on meanwhile."""

LARGE_TEXT = 32 * 1024
"""The same of a page, and of what a prompt's values are looked up in: these take a hundred times as long as JSON."""

MOST_READINGS = 5
"""Readings that may have cost runs their life before the body is given up."""


async def decided(step: Step, answer: Answer) -> Decision:
    """`answers.decide`, off the event loop where the body is large."""
    inputs = sum(map(len, answer.inputs.values())) if answer.inputs else 0
    is_text = step.workflow.response.format == "page" or inputs > 0
    if len(answer.body) + inputs < (LARGE_TEXT if is_text else LARGE):
        return decide(step, answer)
    return await asyncio.to_thread(decide, step, answer)


async def decided_callback(step: Step, callback: Callback, body: bytes) -> tuple[Decision, InboxStatus]:
    """`answers.decide_callback`, off the event loop where the body is large or packed."""
    encoding, content_type = callback.headers.get("content-encoding"), callback.headers.get("content-type", "")
    if len(body) < LARGE and not encoding:
        return decide_callback(step, body, encoding, content_type)
    return await asyncio.to_thread(decide_callback, step, body, encoding, content_type)


def given_up() -> Decision:
    """What becomes of a body whose reading runs die of; its bytes are kept."""
    reason = f"reading this body has ended {MOST_READINGS} runs; it is not read any more"
    return unreadable(reason)
