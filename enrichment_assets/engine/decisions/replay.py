"""How bytes that are kept read now, as they would live. Pure: no I/O.

Reading again is the engine's own reading (`engine.decisions.decision`), so that a replay, a reused answer and a live
one can never differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from enrichment_assets.domain.bulk_answers import Place
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.statuses import ErrorClass, Status
from enrichment_assets.domain.workflow import Mode
from enrichment_assets.engine.decisions.bulk import decide_member, decide_member_callback, decide_member_poll
from enrichment_assets.engine.decisions.decision import Decision, decide, decide_callback, decide_poll, failed
from enrichment_assets.engine.run.prepared_step import Step


class KeptAnswer(Protocol):
    """What a call brought: the body of its callback where one was applied, else of its response or last poll."""

    @property
    def http_status(self) -> int | None:
        """Status of the response or poll."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers that were kept, by lower-case name."""

    @property
    def body(self) -> bytes | None:
        """Body of the response or poll."""

    @property
    def external_id(self) -> str | None:
        """The provider's id of an accepted submission; then `body` is the answer to a poll."""

    @property
    def place(self) -> Place | None:
        """Whose part of the body it is, where several calls shared one request; None: the whole."""

    @property
    def inputs(self) -> Mapping[str, str] | None:
        """What the prompt asked about, where it was one."""

    @property
    def callback(self) -> bytes | None:
        """Body of the callback."""

    @property
    def callback_encoding(self) -> str | None:
        """Its Content-Encoding."""

    @property
    def callback_type(self) -> str | None:
        """Its Content-Type."""


def read_as_live(step: Step, kept: KeptAnswer) -> Decision | None:
    """What a kept answer decides, whatever that is; None: a poll's answer that says "not ready yet"."""
    if kept.callback is not None and kept.place is not None:
        encoding, content_type = kept.callback_encoding, kept.callback_type or ""
        return decide_member_callback(step, kept.callback, encoding, content_type, kept.place)[0]
    if kept.callback is not None:
        return decide_callback(step, kept.callback, kept.callback_encoding, kept.callback_type or "")[0]
    if step.workflow.mode is Mode.ASYNC and step.workflow.poll is not None and kept.external_id:
        return _read_poll(step, _answer(kept), kept.place)
    if kept.place is not None:
        return decide_member(step, _answer(kept), kept.place)
    return decide(step, _answer(kept))


def read_again(step: Step, kept: KeptAnswer) -> Decision | None:
    """How a kept answer reads now, as it would live; None: it completes nothing and fails no contract.

    Nor is it read where what its prompt asked about is gone: everything in it would seem to be invented.
    """
    prompt = step.workflow.prompt
    if prompt is not None and kept.inputs is None and (prompt.grounded or prompt.cites):
        return None
    decision = read_as_live(step, kept)
    if decision is None or decision.status is Status.COMPLETED:
        return decision
    return decision if decision.error_class is ErrorClass.CONTRACT else None


def _read_poll(step: Step, answer: Answer, place: Place | None) -> Decision | None:
    try:
        if place is not None:
            return decide_member_poll(step, answer, place)
        return decide_poll(step, answer)
    except ContractError as error:
        return failed(ErrorClass.CONTRACT, str(error))


def _answer(kept: KeptAnswer) -> Answer:
    return Answer(kept.http_status or 0, kept.headers, kept.body or b"", inputs=kept.inputs)
