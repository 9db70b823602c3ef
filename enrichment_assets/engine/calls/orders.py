"""Orders to a vendor's batch API: upload, order, look, fetch; and the search for an order whose answer was lost.

The order alone costs money: its intents are committed before anything leaves. An upload that is lost is made again, and
so is a look. An order of unknown fate is looked for by our name, which is the id of the request, before it is decided.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.jsontext import json_bytes, parse_json
from enrichment_assets.domain.prompts.batch_api import BatchApi, Line, combined
from enrichment_assets.domain.prompts.completions import object_in
from enrichment_assets.domain.provider import Answer, RenderedRequest
from enrichment_assets.domain.statuses import CallState, ErrorClass, Status
from enrichment_assets.engine.calls.attempt import Exchange, addressed, exchange
from enrichment_assets.engine.decisions.decision import Decision, unreadable
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.engine.throttle.admission import CallAdmission
from enrichment_assets.wire.transport import AnswerTooLarge, FateUnknown, NotSent, send

MOST_PAGES = 20
"""Pages of an account's orders that are looked through for one."""

MOST_RESULTS = 64 * 1024 * 1024
"""Bytes of a file of results."""

_NOT_UPLOADED = "the lines could not be uploaded; nothing was ordered"


async def submit(
    run: Run, step: Step, api: BatchApi, bulk_id: UUID, lines: Sequence[Line], admission: CallAdmission
) -> Exchange:
    """Upload the lines where that is wanted, then order them. Their intents are durable."""
    name, uploaded = bulk_id.hex, None
    async with admission.wire():
        upload = api.upload(lines, name)
        if upload is not None:
            uploaded = await _asked(run, step, upload)
            if uploaded is None:
                return Exchange(_again(_NOT_UPLOADED), None)
            if not 200 <= uploaded.status < 300:
                return Exchange(uploaded, None)
        try:
            request = addressed(run, step, api.order(lines, name, uploaded), str(bulk_id))
        except ContractError as error:
            return Exchange(unreadable(str(error)), None)
        return await _order(run, step, request, admission)


# crash point: order-is-placed
async def _order(run: Run, step: Step, request: RenderedRequest, admission: CallAdmission) -> Exchange:
    return await exchange(run, step, request, admission.turn)


# crash point: results-are-fetched
async def results_of(run: Run, step: Step, api: BatchApi, number: str, names: Sequence[str]) -> Answer | None:
    """What an order says now: of one that has ended, the results of all lines as one answer; None: it did not say."""
    looked = await _asked(run, step, api.look(number))
    if looked is None or not 200 <= looked.status < 300:
        return looked
    try:
        order = object_in(parse_json(looked.body))
        files = api.files(order)
        if files is None:
            return looked
        contents = [await _asked(run, step, file) for file in files]
        if any(content is None or not 200 <= content.status < 300 for content in contents):
            return None
        bodies = [content.body for content in contents if content is not None]
        return await asyncio.to_thread(lambda: combined(api.results(order, bodies, names)))
    except (ContractError, ValueError):
        return looked


# crash point: order-is-looked-for
async def search(run: Run, step: Step, bulk_id: UUID) -> Answer | bool | None:
    """The order of a request whose answer was lost, as if it had been answered; one search for all of its members.

    Returns:
        True: there is none, it was never made. None: nobody knows.
    """
    under_way = run.order_searches.get(bulk_id)
    if under_way is None:
        under_way = run.order_searches[bulk_id] = asyncio.ensure_future(_searched(run, step, bulk_id.hex))
    return await asyncio.shield(under_way)


async def _searched(run: Run, step: Step, name: str) -> Answer | bool | None:
    api, after = step.batch_api, None
    if api is None:
        return None
    for _ in range(MOST_PAGES):
        question = api.find(after)
        answer = None if question is None else await _asked(run, step, question)
        if answer is None or not 200 <= answer.status < 300:
            return None
        try:
            page = api.found(answer, name)
        except ContractError:
            return None
        if page.order is not None:
            number = {"id": page.order.get("id")}  # how it stands is asked for in its turn
            return Answer(200, {"content-type": "application/json"}, json_bytes(number))
        if page.after is None:
            return True
        after = page.after
    return None


async def _asked(run: Run, step: Step, request: RenderedRequest) -> Answer | None:
    """The answer to a request that costs nothing and may be repeated; None: none came."""
    try:
        authorised = step.authorised(request, is_poll=True)
        answer = await send(
            run.client,
            authorised,
            step.workflow.retry.timeout,
            may_leave=run.lease.check,
            max_answer=MOST_RESULTS,
        )
    except (NotSent, FateUnknown, AnswerTooLarge, ContractError):
        return None
    return step.echo.clean(answer)[0]


def _again(reason: str) -> Decision:
    return Decision(Status.PENDING, CallState.READY, None, reason, ErrorClass.RETRYABLE, again_in=0.0)
