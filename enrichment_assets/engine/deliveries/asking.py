"""What is asked of a destination and changes nothing there: lookups, what carries our key, what stands there now.

Such a request stands in no ledger: it costs nothing, and may be asked again. It keeps to the destination's rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.delivery_rendering import evaluated
from enrichment_assets.domain.delivery_requests import Asking
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.jsontext import parse_json
from enrichment_assets.domain.provider import Answer, Verdict
from enrichment_assets.domain.statuses import ErrorClass, StopCause
from enrichment_assets.engine.calls.attempt import send_in_turn
from enrichment_assets.engine.decisions.decision import as_declared
from enrichment_assets.engine.deliveries.delivering import Delivering
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.engine.run.stops import Stop
from enrichment_assets.engine.throttle.admission import Admission, NotNow
from enrichment_assets.wire.transport import AnswerTooLarge, FateUnknown, NotSent

MOST_EACH = 500
"""Requests of one lookup that is asked for each element of a list."""

PAUSE = 60.0
"""Seconds that a step rests whose lookups could not be asked."""


class Unanswered(Exception):
    """The destination could not be asked now; `str()` says why."""


class Gone(Exception):
    """The destination says that there is nothing of the kind."""


async def document_of(run: Run, step: Step, asking: Asking, names: Mapping[str, Any]) -> Any:
    """The JSON that a destination answers to a question.

    Raises:
        Gone: It answers that there is nothing.
        Unanswered: No answer, or none that counts.
        NotNow, Closed: Nothing is asked now.
        ContractError: The question cannot be put for this lead.
    """
    request = step.authorised(asking.renderer.render(names))
    async with Admission(run, step) as admission:
        try:
            answer = await send_in_turn(run, step, request, admission.turn)
        except (NotSent, FateUnknown) as error:
            admission.ended(True, None)
            raise Unanswered(f"the destination could not be asked: {error}") from error
        except AnswerTooLarge as error:
            admission.ended(False, None)
            raise Unanswered(str(error)) from error
        return _read(step, answer, admission)


def _read(step: Step, answer: Answer, admission: Admission) -> Any:
    verdict = Verdict() if step.provider is None else step.provider.classify(step.workflow.operation, answer)
    verdict = as_declared(step.workflow, answer, verdict)
    if verdict.not_found:
        admission.ended(False, answer)
        raise Gone(verdict.message)
    if verdict.error is not None:
        admission.ended(verdict.error is ErrorClass.RETRYABLE and not verdict.retry_after, answer)
        raise Unanswered(verdict.message or f"HTTP {answer.status}")
    admission.ended(False, answer)
    try:
        return parse_json(answer.body, [])
    except ValueError as error:
        raise Unanswered(f"its answer is not JSON ({error})") from error


async def looked_up(run: Run, step: Step, delivering: Delivering) -> Mapping[str, Any]:
    """What the lookups of a step found; asked once per run, each with what those before it found.

    Raises:
        NotNow: They could not be asked: the step rests, and says why.
    """
    if delivering.lookups is not None:
        return delivering.lookups
    async with delivering.asking:
        if delivering.lookups is None:
            if step.stop is not None:
                raise NotNow
            delivering.lookups = await _asked(run, step, delivering)
    return delivering.lookups


async def _looked_up(run: Run, step: Step, asking: Asking, names: Mapping[str, Any]) -> Any:
    """One lookup's value, or one for each element of its list. Raises as `document_of`."""
    value = asking.expressions["value"]
    if asking.each is None:
        return value(await document_of(run, step, asking, names))
    elements = evaluated(step.slug, "lookups", asking.each, names)
    if not isinstance(elements, list) or len(elements) > MOST_EACH:
        raise ContractError(
            f"`each` of a lookup gives a list of at most {MOST_EACH} elements", code="delivery.each_no_list"
        )
    return [
        {"of": one, "value": value(await document_of(run, step, asking, {**names, "each": one}))} for one in elements
    ]


async def _asked(run: Run, step: Step, delivering: Delivering) -> dict[str, Any]:
    found: dict[str, Any] = {}
    names = {"parameters": step.workflow.parameters, "lookups": found}
    for name, asking in delivering.requests.lookups.items():
        try:
            found[name] = await _looked_up(run, step, asking, names)
        except (Unanswered, Gone, ContractError) as error:
            reason = f"the lookup {name} of {step.slug} cannot be made: {error}"
            step.stop = step.stop or Stop(StopCause.REFUSED, reason, run.clock.now() + PAUSE)
            step.rests_until = run.clock.now() + PAUSE
            raise NotNow from error
    return found
