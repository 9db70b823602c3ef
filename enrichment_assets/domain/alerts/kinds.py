"""The kinds of alerts: what each watches, what its threshold counts, and how grave it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from enrichment_assets.domain.errors import ConfigurationError


class Kind(StrEnum):
    """What a rule watches; stored in `alert_rules`."""

    BATCH_FINISHED = "batch.finished"
    BATCH_STUCK = "batch.stuck"
    BATCH_PAUSED = "batch.paused"
    BATCH_ERRORS = "batch.errors"
    PROVIDER_STOPPED = "provider.stopped"
    BUDGET_USED = "budget.used"
    CALLBACK_DEAD = "callback.dead"
    CLIENT_OVERDUE = "client.overdue"
    TABLE_OVERDUE = "table.overdue"
    TABLE_BEHIND = "table.behind"
    SUPPRESSION_HIT = "suppression.hit"
    DELIVERY_FAILED = "delivery.failed"
    FAMILY_FAILED = "family.failed"
    CONTACT_REPLIED = "contact.replied"
    EVENT_DEAD = "event.dead"
    MAILBOX_PAUSED = "mailbox.paused"


class Severity(StrEnum):
    """How grave it is, in PagerDuty's words."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Action(StrEnum):
    """What a notice says: that something began, or that it is over. PagerDuty's words."""

    TRIGGER = "trigger"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a rule's number counts, and what it may be."""

    unit: str
    default: Decimal
    lowest: Decimal
    highest: Decimal


@dataclass(frozen=True, slots=True)
class Watched:
    """What one kind is.

    Attributes:
        says: What opens an incident; `N` is the threshold.
        severity: How grave it is.
        threshold: What N counts; None: the kind has none.
        is_event: It happens once and is not over later: nothing is said when it is past.
    """

    says: str
    severity: Severity
    threshold: Threshold | None = None
    is_event: bool = False


def _n(unit: str, default: str, lowest: str = "1", highest: str = "8760") -> Threshold:
    return Threshold(unit, Decimal(default), Decimal(lowest), Decimal(highest))


KINDS: Mapping[Kind, Watched] = {
    Kind.BATCH_FINISHED: Watched("a batch has finished", Severity.INFO, is_event=True),
    Kind.BATCH_STUCK: Watched(
        "nothing of a batch has moved for N minutes, though something of it could",
        Severity.ERROR,
        _n("minutes", "60", "5", "10080"),
    ),
    Kind.BATCH_PAUSED: Watched("a batch, or a step of it, is paused", Severity.WARNING),
    Kind.BATCH_ERRORS: Watched(
        "N % of a step's answers in a batch failed, of at least 20", Severity.ERROR, _n("%", "20", "1", "100")
    ),
    Kind.PROVIDER_STOPPED: Watched(
        "a provider refuses a key, or its credits are used up, or it wants to be paid", Severity.CRITICAL
    ),
    Kind.BUDGET_USED: Watched(
        "N % of a budget is spent or set aside; with 100 also: a batch pauses for it",
        Severity.WARNING,
        _n("%", "100", "1", "100"),
    ),
    Kind.CALLBACK_DEAD: Watched(
        "N callbacks of a client could not be read", Severity.ERROR, _n("callbacks", "1", "1", "1000000")
    ),
    Kind.CLIENT_OVERDUE: Watched(
        "the newest batch of a client is older than N hours", Severity.WARNING, _n("hours", "168")
    ),
    Kind.TABLE_OVERDUE: Watched(
        "the newest tables of a client are older than N hours", Severity.WARNING, _n("hours", "168")
    ),
    Kind.TABLE_BEHIND: Watched(
        "a batch finished N minutes ago, and its tables are not made of it",
        Severity.ERROR,
        _n("minutes", "60", "5", "10080"),
    ),
    Kind.SUPPRESSION_HIT: Watched("a batch has rows of people who said no", Severity.INFO, is_event=True),
    Kind.DELIVERY_FAILED: Watched(
        "no message has arrived at a client's webhook for N minutes, or it was disabled for that",
        Severity.ERROR,
        _n("minutes", "60", "5", "10080"),
    ),
    Kind.FAMILY_FAILED: Watched(
        "a row with its children has failed, or its tables could not be written", Severity.ERROR
    ),
    Kind.CONTACT_REPLIED: Watched("somebody has answered, or is interested", Severity.INFO, is_event=True),
    Kind.EVENT_DEAD: Watched(
        "N messages that came back to a client's connection could not be read",
        Severity.ERROR,
        _n("messages", "1", "1", "1000000"),
    ),
    Kind.MAILBOX_PAUSED: Watched(
        "a mailbox is paused: by itself, for bounces, complaints or a login that is refused, or by a person",
        Severity.ERROR,
    ),
}


@dataclass(frozen=True, slots=True)
class Shipped:
    """A rule of the set that comes with the platform: off, until somebody names a channel for it."""

    kind: Kind
    threshold: Decimal | None


SHIPPED = (
    Shipped(Kind.BATCH_FINISHED, None),
    Shipped(Kind.BATCH_STUCK, Decimal(60)),
    Shipped(Kind.BATCH_PAUSED, None),
    Shipped(Kind.BATCH_ERRORS, Decimal(20)),
    Shipped(Kind.PROVIDER_STOPPED, None),
    Shipped(Kind.BUDGET_USED, Decimal(80)),
    Shipped(Kind.BUDGET_USED, Decimal(100)),
    Shipped(Kind.CALLBACK_DEAD, Decimal(1)),
    Shipped(Kind.CLIENT_OVERDUE, Decimal(168)),
    Shipped(Kind.TABLE_BEHIND, Decimal(60)),
    Shipped(Kind.SUPPRESSION_HIT, None),
    Shipped(Kind.DELIVERY_FAILED, Decimal(60)),
    Shipped(Kind.FAMILY_FAILED, None),
    Shipped(Kind.CONTACT_REPLIED, None),
    Shipped(Kind.EVENT_DEAD, Decimal(1)),
    Shipped(Kind.MAILBOX_PAUSED, None),
)


def read_kind(text: str) -> Kind:
    """A kind by its name. Raises `ConfigurationError` that lists them."""
    try:
        return Kind(text)
    except ValueError:
        raise ConfigurationError(
            f"no alert is called {text!r}: there are {', '.join(Kind)}", code="alert.unknown_kind"
        ) from None


def read_threshold(kind: Kind, text: str | None) -> Decimal | None:
    """A rule's number; without one, the kind's own.

    Raises:
        ConfigurationError: It is no number, out of bounds, or the kind has none.
    """
    bounds = KINDS[kind].threshold
    if bounds is None:
        if text is not None:
            raise ConfigurationError(f"{kind} has no threshold", code="alert.no_threshold")
        return None
    if text is None:
        return bounds.default
    try:
        number = Decimal(text.strip().removesuffix("%").strip())
        fits = bounds.lowest <= number <= bounds.highest  # NaN compares with nothing
    except InvalidOperation:
        fits = False
    if not fits:
        raise ConfigurationError(
            f"the threshold of {kind} is a number of {bounds.unit} from {bounds.lowest} to {bounds.highest}, "
            f"and not {text!r}",
            code="alert.threshold",
        )
    return number
