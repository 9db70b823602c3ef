"""What a person can do about each reason why a state stands where it stands. Pure: what is known in, hints out.

The sentences are in `remedy_sentences`; an entry point says them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.statuses import UNDECIDED, ErrorClass, SkipReason, Status, StopCause
from enrichment_assets.services.operations.remedy_sentences import PLATFORM
from enrichment_assets.store.batches.budget_holds import ACTOR as BUDGET
from enrichment_assets.store.batches.holds import Hold
from enrichment_assets.store.states.stops import StepStop
from enrichment_assets.wire.secrets import secret_names

ENRICH_UP = "`enrich up`"
"""What the processes of the stack are called in a sentence."""


def at(moment: datetime) -> str:
    """`2026-11-28 14:30:05 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def process_named(process: str) -> str:
    """The process that found something out, as a sentence names it."""
    return process if process == ENRICH_UP else f"the shell that ran it last (process {process})"


def stop_reason(stop: StepStop) -> str:
    """Why a step sends nothing, with the process where that matters."""
    if stop.cause in (StopCause.MISSING_VARIABLE, StopCause.CONFIGURATION):
        return f"{stop.reason} in {process_named(stop.process)}"
    return stop.reason


def stop_remedy(stop: StepStop, blueprint: Blueprint, set_here: Collection[str]) -> tuple[Hint, ...]:
    """What to do about a stopped step; `set_here`: the variables of the process that shows it."""
    process = _argument(stop.process)
    if stop.cause == StopCause.MISSING_VARIABLE:
        return (set_variable(stop.variable or "it", stop.process, set_here),)
    if stop.cause == StopCause.CONFIGURATION:
        return (Hint(Action.SET_RIGHT, {"process": process}),)
    if stop.cause == StopCause.OTHER_WORLD:
        return (other_world(bool(blueprint.simulated), stop.process),)
    if stop.cause == StopCause.AUTH:
        keys = ", ".join(secret_names(blueprint.step(stop.workflow).workflow).values())
        check = {"process": process}
        first = Hint(Action.CHECK_KEY_IN, {"variables": keys, **check}) if keys else Hint(Action.CHECK_KEY, check)
    else:
        first = Hint(_STOPPED[StopCause(stop.cause)])
    return (first, _goes_on(stop))


_STOPPED: Mapping[StopCause, Action] = {
    StopCause.QUOTA: Action.BUY_QUOTA,
    StopCause.PAYMENT: Action.PAY_PROVIDER,
    StopCause.QUIET: Action.AWAIT_PAUSE,
    StopCause.BREAKER: Action.AWAIT_PROBE,
    StopCause.DAY_LIMIT: Action.RAISE_DAY_LIMIT,
    StopCause.REFUSED: Action.CHECK_ADDRESS,
}


def _argument(process: str) -> str:
    """A process as a hint names it."""
    return PLATFORM if process == ENRICH_UP else process


def set_variable(variable: str, process: str, set_here: Collection[str]) -> Hint:
    """Where to set a variable that a process lacks."""
    if process == ENRICH_UP:
        action = Action.RESTART_WITH_VARIABLE if variable in set_here else Action.SET_VARIABLE_OF_PLATFORM
    else:
        action = Action.RUN_WITH_VARIABLE if variable in set_here else Action.SET_VARIABLE
    return Hint(action, {"variable": variable})


def other_world(simulated: bool, process: str) -> Hint:
    """What to do about a process that calls the other world than a batch that is `simulated` or not."""
    if process == ENRICH_UP:
        return Hint(Action.RESTART_FOR_SIMULATOR if simulated else Action.RESTART_FOR_PROVIDERS)
    return Hint(Action.RUN_FOR_SIMULATOR if simulated else Action.RUN_FOR_PROVIDERS)


def _goes_on(stop: StepStop) -> Hint:
    if stop.until is None or stop.is_over:
        return Hint(Action.TRIED_NEXT_RUN)
    return Hint(Action.TRIED_AT, {"at": at(stop.until)})


def skip_remedy(reason: str, workflow: str, blueprint: Blueprint) -> tuple[Hint, ...]:
    """What to do about a step that was SKIPPED for this reason (`code: detail`)."""
    code, _, detail = reason.partition(": ")
    if code == SkipReason.MISSING_INPUT:
        return tuple(_missing_input(field, workflow, blueprint) for field in detail.split(", "))
    if code == SkipReason.CONDITION and detail.startswith(UNDECIDED):
        return (Hint(Action.FIX_CONDITION),)
    action = _SKIPPED.get(code)
    return () if action is None else (Hint(action),)


def hold_remedy(hold: Hold) -> Hint:
    """What to do about what is paused or cancelled."""
    if hold.kind == "cancelled":
        return Hint(Action.RETRY_CANCELLED)
    return Hint(Action.RAISE_BUDGET if hold.actor == str(BUDGET) else Action.RESUME_BATCH)


_SKIPPED: Mapping[str, Action] = {
    SkipReason.INVALID_INPUT: Action.FIX_VALUE,
    SkipReason.CONDITION: Action.LEFT_BY_CONDITION,
    SkipReason.ALREADY_FOUND: Action.FOUND_BEFORE,
    SkipReason.BUDGET: Action.RAISE_BUDGET,
    SkipReason.SUPPRESSED: Action.NOT_TO_BE_ASKED,
    SkipReason.CLOSED_TO_REGION: Action.LEFT_BY_REGION,
    SkipReason.DISABLED: Action.SWITCH_ON,
    SkipReason.INHERITED: Action.PARENT_COUNTS,
    SkipReason.FANNED_OUT: Action.CHILDREN_GO_ON,
    SkipReason.GIVEN_UP: Action.WAS_GIVEN_UP,
    SkipReason.TARGET_REACHED: Action.TARGET_WAS_REACHED,
    SkipReason.KNOWN: Action.CLIENT_HAS_THEM,
}


def _missing_input(field: str, workflow: str, blueprint: Blueprint) -> Hint:
    """An earlier step may have been to give the field (`email|phone`: either of them); else the list has to."""
    place, fields = blueprint.step(workflow).position, set(field.split("|"))
    givers = [s.slug for s in blueprint.steps if s.position < place and fields & s.workflow.provided_fields]
    if givers:
        return Hint(Action.LOOK_AT_STEPS, {"field": field, "workflows": " or ".join(givers)})
    return Hint(Action.MAP_FIELD, {"field": field})


def failure_remedy(status: str, error_class: str | None, reason: str | None) -> tuple[Hint, ...]:
    """What to do about a state that is FAILED or AMBIGUOUS."""
    if status == Status.AMBIGUOUS:
        return (Hint(Action.DECIDE_CALL),)
    if error_class == ErrorClass.CONTRACT and (reason or "").startswith("HTTP "):
        return (Hint(Action.CHECK_REQUEST),)
    return (Hint(_FAILED.get(error_class, Action.RETRY)),)


_FAILED: Mapping[str | None, Action] = {
    ErrorClass.RETRYABLE: Action.RETRY_LATER,
    ErrorClass.CONTRACT: Action.MEND_MAPPING,
    ErrorClass.DEADLINE: Action.RETRY_OR_WAIT,
}
