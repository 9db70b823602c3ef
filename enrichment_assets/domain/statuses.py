"""The words for where work stands. The same strings stand in the database, the UI, the CLI and the SQL models."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where one workflow state (item, workflow) stands."""

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"
    AMBIGUOUS = "AMBIGUOUS"
    CANCELLED = "CANCELLED"

    @property
    def settled(self) -> bool:
        """True when nothing further happens by itself: a callback, an operator or a re-run has to move it."""
        return self is not Status.PENDING and self is not Status.IN_PROGRESS


class Outcome(StrEnum):
    """What a COMPLETED state found. `not_found` is an answer, not a failure."""

    FOUND = "found"
    NOT_FOUND = "not_found"


class SkipReason(StrEnum):
    """Why a state was SKIPPED; stored as `reason`, sometimes with `: detail` behind it."""

    MISSING_INPUT = "missing_input"
    INVALID_INPUT = "invalid_input"
    CONDITION = "run_if"
    ALREADY_FOUND = "already_found"
    BUDGET = "budget"
    SUPPRESSED = "suppressed"
    CLOSED_TO_REGION = "closed_to_region"
    DISABLED = "disabled"
    INHERITED = "inherited"
    FANNED_OUT = "fanned_out"
    GIVEN_UP = "given_up"
    TARGET_REACHED = "target_reached"
    KNOWN = "known"


UNDECIDED = "the expression fails"
"""What follows `run_if: ` where the condition could not be evaluated, rather than was not met."""


LIFTED_BY_AN_ANSWER = (SkipReason.MISSING_INPUT, SkipReason.CONDITION, SkipReason.CLOSED_TO_REGION)
"""Why a step is skipped that runs after all when an earlier step has an answer."""


class ErrorClass(StrEnum):
    """The one error taxonomy (DESIGN section 7)."""

    RETRYABLE = "retryable"
    INVALID_INPUT = "invalid_input"
    AUTH = "auth"
    QUOTA = "quota"
    PAYMENT = "payment"
    CONTRACT = "contract"
    DEADLINE = "deadline"
    AMBIGUOUS = "ambiguous"
    INFRASTRUCTURE = "infrastructure"

    @property
    def stops_provider(self) -> bool:
        """True when further calls to this provider are pointless for this run: items stay PENDING."""
        return self in (ErrorClass.AUTH, ErrorClass.QUOTA, ErrorClass.PAYMENT)


class StopCause(StrEnum):
    """Why a step of a batch sends nothing, whatever its items are; stored in `step_stops`.

    `auth`, `quota` and `payment` are the error classes that stop a provider. `quiet`: it asked for a pause. `refused`:
    its first answers were all the same refusal. `other_world`: the batch is for the simulator and the process for real
    providers, or the reverse. `paused`, `cancelled`: a person, or the batch's own guard, said so.
    """

    MISSING_VARIABLE = "missing_variable"
    CONFIGURATION = "configuration"
    OTHER_WORLD = "other_world"
    AUTH = "auth"
    QUOTA = "quota"
    PAYMENT = "payment"
    QUIET = "quiet"
    BREAKER = "breaker"
    DAY_LIMIT = "day_limit"
    REFUSED = "refused"
    PAUSED = "paused"
    CANCELLED = "cancelled"


class SpentOn(StrEnum):
    """What a step's time goes to while it has something to do; stored in `step_times`.

    `rate`: its calls waited for their turn at the configured rate. `slots`: as many were under way as are allowed.
    `provider`: requests were under way, and none waited. `rests`: it was refused, asked for quiet, down, or its day's
    calls were used up. `ours`: this process or the database. `callbacks`: nothing but callbacks was waited for, between
    runs. `run` is no such thing, but how long the runs took.
    """

    RATE = "rate"
    SLOTS = "slots"
    PROVIDER = "provider"
    RESTS = "rests"
    OURS = "ours"
    CALLBACKS = "callbacks"
    RUN = "run"


class CallState(StrEnum):
    """Life of a row in the call ledger (`provider_calls`).

    `intent` is committed before the request leaves, so a dead owner's `intent` has an unknown fate. `sent` means
    that an asynchronous provider acknowledged the submission and a callback (or poll) is awaited. `received` holds
    the raw answer, `applied` has been turned into a result. `failed` ended without an answer that counts. `ready`
    ended an attempt that certainly was not carried out: the next attempt may take the row over.
    """

    READY = "ready"

    INTENT = "intent"
    SENT = "sent"
    RECEIVED = "received"
    APPLIED = "applied"
    FAILED = "failed"
    AMBIGUOUS = "ambiguous"


class InboxStatus(StrEnum):
    """Life of a row in `callback_inbox`."""

    NEW = "new"
    APPLIED = "applied"
    SUPERSEDED = "superseded"
    DEAD = "dead"


class EventInboxStatus(StrEnum):
    """Life of a row in `event_inbox`: to be read, read, or kept because nobody could read it."""

    NEW = "new"
    READ = "read"
    DEAD = "dead"


NO_ANSWER = "no answer"
DIED = "the run that made this call died before its answer was stored"
UNANSWERED = (NO_ANSWER, DIED)
"""How the reason of a call begins that left and of which nobody knows what became."""
