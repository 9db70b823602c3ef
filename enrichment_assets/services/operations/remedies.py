"""What a person can do about each reason why a state stands where it stands. Pure: what is known in, a sentence out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.statuses import UNDECIDED, ErrorClass, SkipReason, Status, StopCause
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


def stop_remedy(stop: StepStop, blueprint: Blueprint, set_here: Collection[str]) -> str:
    """What to do about a stopped step; `set_here`: the variables of the process that shows it."""
    if stop.cause == StopCause.MISSING_VARIABLE:
        return set_variable(stop.variable or "it", stop.process, set_here)
    if stop.cause == StopCause.CONFIGURATION:
        return f"set it right where {process_named(stop.process)} is started, and start that again"
    if stop.cause == StopCause.OTHER_WORLD:
        return other_world(bool(blueprint.simulated), stop.process)
    keys = ", ".join(secret_names(blueprint.step(stop.workflow).workflow).values())
    texts = {
        StopCause.AUTH: f"check the key{f' in {keys}' if keys else ''} of {process_named(stop.process)}, then retry",
        StopCause.QUOTA: "buy more of the provider's quota and retry, or wait for it",
        StopCause.PAYMENT: "pay what the provider asks for (credits, plan), then retry",
        StopCause.QUIET: "nothing: the provider asked for a pause",
        StopCause.BREAKER: "nothing: one call a minute finds out whether the provider answers again",
        StopCause.DAY_LIMIT: "wait, or raise the workflow's `limits.per_day`",
        StopCause.REFUSED: "look at the workflow's address and parameters; launch again where they are wrong",
    }
    return f"{texts[StopCause(stop.cause)]}; {_goes_on(stop)}"


def set_variable(variable: str, process: str, set_here: Collection[str]) -> str:
    """Where to set a variable that a process lacks."""
    if process == ENRICH_UP:
        return (
            f"{variable} is set in this shell: start {ENRICH_UP} again from here"
            if variable in set_here
            else f"set {variable} where {ENRICH_UP} is started (or in its file .env), and start that again"
        )
    if variable in set_here:
        return f"{variable} is set in this shell: run the batch again from here"
    return f"set {variable} (or write it into the file .env), then run the batch again"


def other_world(simulated: bool, process: str) -> str:
    """What to do about a process that calls the other world than a batch that is `simulated` or not."""
    if process == ENRICH_UP:
        how = f"start {ENRICH_UP} again {'with' if simulated else 'without'} --sandbox"
    else:
        how = f"{'set' if simulated else 'unset'} ENRICH_SANDBOX_URL and run the batch again"
    return f"{how}, or launch the upload for {'real providers' if simulated else 'the simulator'}"


def _goes_on(stop: StepStop) -> str:
    if stop.until is None or stop.is_over:
        return "its time has come: the next run tries again"
    return f"it is tried again at {at(stop.until)}, by {ENRICH_UP} if that runs"


def skip_remedy(reason: str, workflow: str, blueprint: Blueprint) -> str:
    """What to do about a step that was SKIPPED for this reason (`code: detail`)."""
    code, _, detail = reason.partition(": ")
    if code == SkipReason.MISSING_INPUT:
        return _missing_input(detail.split(", "), workflow, blueprint)
    if code == SkipReason.CONDITION and detail.startswith(UNDECIDED):
        return "mend the workflow's `run_if`, and launch the upload again"
    texts: Mapping[str, str] = {
        SkipReason.INVALID_INPUT: "mend the value in the list, or what the workflow makes of it, and launch that again",
        SkipReason.CONDITION: "nothing: the workflow's `run_if` leaves these rows out",
        SkipReason.ALREADY_FOUND: "nothing: an earlier step of the waterfall has it",
        SkipReason.BUDGET: "raise that budget: what was skipped for it then goes on by itself",
        SkipReason.SUPPRESSED: "nothing: these may not be asked about",
        SkipReason.DISABLED: "switch the workflow on for this client, and launch again",
        SkipReason.INHERITED: "nothing: the parent's answer counts for the child item",
        SkipReason.FANNED_OUT: "nothing: the child items go through this step",
        SkipReason.GIVEN_UP: "nothing: the batch was given up; another one may have been launched in its place",
    }
    return texts.get(code, "")


def _missing_input(fields: Collection[str], workflow: str, blueprint: Blueprint) -> str:
    """An earlier step may have been to give the field; else the list has to."""
    place = blueprint.step(workflow).position
    parts = []
    for field in fields:
        givers = [s.slug for s in blueprint.steps if s.position < place and field in s.workflow.provided_fields]
        if givers:
            parts.append(f"{field} is to come from {' or '.join(givers)}: look there for what became of it")
        else:
            parts.append(f"map a column of the list to {field}, or put a step before that finds it")
    return "; ".join(parts)


def failure_remedy(status: str, error_class: str | None, reason: str | None) -> str:
    """What to do about a state that is FAILED or AMBIGUOUS."""
    if status == Status.AMBIGUOUS:
        return "look the call up at the provider, then resolve it: call again, or accept a miss"
    texts: Mapping[str | None, str] = {
        ErrorClass.RETRYABLE: "retry when the provider answers again",
        ErrorClass.CONTRACT: "look at the stored answer; mend the workflow's mapping and replay it, free of charge",
        ErrorClass.DEADLINE: "retry, or wait: an answer that comes late is still taken",
        ErrorClass.INFRASTRUCTURE: "retry",
    }
    if error_class == ErrorClass.CONTRACT and (reason or "").startswith("HTTP "):
        return "look at the workflow's address and request, then retry"
    return texts.get(error_class, "retry")
