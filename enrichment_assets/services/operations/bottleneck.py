"""What holds a batch up, in words: which limit, whose, how much of the time, and what to change.

`docs/performance.md` has a table of these words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from enrichment_assets.domain.patience import Limits
from enrichment_assets.domain.statuses import SpentOn
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.store.runs.step_times import ALL_STEPS

HELD_BACK = (
    SpentOn.RATE,
    SpentOn.SLOTS,
    SpentOn.PROVIDER,
    SpentOn.CALLBACKS,
    SpentOn.RESTS,
    SpentOn.OURS,
)
"""What can hold a step back, in the order in which `enrich stats` shows it."""


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """The one thing that held a batch up for longest.

    Attributes:
        workflow: At which step.
        spent_on: What it waited for.
        share: Of the time that the batch was worked on, from 0 to 1.
        sentence: So in words, with what to change.
    """

    workflow: str
    spent_on: SpentOn
    share: float
    sentence: str


def time_spent(
    times: Mapping[str, Mapping[SpentOn, float]], under_way: float, callbacks: Mapping[str, float]
) -> tuple[float, dict[str, dict[SpentOn, float]]]:
    """Seconds that a batch was worked on, and what each step spent its own on.

    Args:
        times: As the runs kept them.
        under_way: Seconds from the batch's first run to its last move.
        callbacks: Seconds for which callbacks of each workflow were waited for, runs or none.

    Between runs there is nothing to do but to wait for callbacks: so much of the time between them as callbacks were
    waited for is theirs, and the rest nobody's (a pilot whose rest was launched the next day).
    """
    runs = times.get(ALL_STEPS, {}).get(SpentOn.RUN, 0.0)
    between = min(max(under_way - runs, 0.0), max(callbacks.values(), default=0.0))
    spent = {slug: dict(of_step) for slug, of_step in times.items() if slug != ALL_STEPS}
    for slug, waited in callbacks.items():
        if between and runs:
            spent.setdefault(slug, {})[SpentOn.CALLBACKS] = min(waited, between)
    return runs + between, spent


def find_bottleneck(
    total: float, spent: Mapping[str, Mapping[SpentOn, float]], workflows: Sequence[WorkflowDefinition]
) -> Bottleneck | None:
    """What held the batch up for longest; None where nothing is known of its time."""
    known = {workflow.slug: workflow for workflow in workflows}
    found = [
        (seconds, -number, slug, spent_on)
        for slug in known
        for number, spent_on in enumerate(HELD_BACK)
        if (seconds := spent.get(slug, {}).get(spent_on, 0.0)) > 0
    ]
    if not found or total <= 0:
        return None
    seconds, _, slug, spent_on = max(found)
    share = min(seconds / total, 1.0)
    what, advice = _words(spent_on, known[slug])
    return Bottleneck(slug, spent_on, share, f"{what}: {share:.0%} of the time; {advice}".replace("%", " %", 1))


def _words(spent_on: SpentOn, workflow: WorkflowDefinition) -> tuple[str, str]:
    slug, slots = workflow.slug, workflow.limits.concurrency
    if spent_on is SpentOn.RATE:
        rate, setting = _strictest(workflow.limits)
        remedy = f"raise {setting}" if workflow.bulk is not None else f"raise {setting} or buy bulk"
        return f"provider limit {rate} of {slug}", remedy
    if spent_on is SpentOn.SLOTS:
        return f"limit of {slots} calls at a time of {slug}", "raise limits.concurrency"
    if spent_on is SpentOn.PROVIDER:
        return f"answers of {slug}", f"the provider takes that long: a longer list fills its {slots} calls at a time"
    if spent_on is SpentOn.CALLBACKS:
        return f"callbacks of {slug}", "the provider takes that long"
    if spent_on is SpentOn.RESTS:
        return f"rests of {slug}", "it was refused, asked for quiet or used up its day: see the reasons below"
    return f"this machine at {slug}", "give it more processor, or a nearer database"


def _strictest(limits: Limits) -> tuple[str, str]:
    """The configured rate that spaces calls most, and the setting's name."""
    rates = [
        (limits.per_second, f"{limits.per_second or 0:g}/s", "limits.per_second"),
        (limits.per_minute and limits.per_minute / 60, f"{limits.per_minute or 0:g}/min", "limits.per_minute"),
    ]
    _, text, setting = min((rate for rate in rates if rate[0]), key=lambda rate: rate[0] or 0.0)
    return text, setting
