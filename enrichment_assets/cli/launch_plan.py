"""What a launch would do, as `--dry-run` prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enrichment_assets.cli.sentences import say
from enrichment_assets.domain.known_policy import Known

if TYPE_CHECKING:
    from enrichment_assets.services.batches.launching import LaunchPlan, StepPlan


def print_plan(plan: LaunchPlan, *, fresh: bool) -> None:
    """Print what a launch would call, and what that costs at most."""
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.domain.money import of_currencies, shown_sum

    companies = "" if plan.companies is None else f", {plan.companies} companies"
    say_of_plan("batch", f"{plan.batch_key} (client {plan.client}, pipeline {plan.pipeline})")
    say_of_plan("upload", f"{plan.upload_id}, {plan.filename}: {plan.rows} rows, {plan.rejected} rejected{companies}")
    if plan.rows_before:
        say_of_plan("rows", f"{plan.items} more; {plan.rows_before} rows of the pilot are not asked about again")
    elif plan.items < plan.rows - plan.rejected:
        say_of_plan("pilot", f"the first {plan.items} rows")
    if plan.known is not None:
        say_of_plan("known", _known(plan))
    say("")
    columns = ("workflow", "provider", "mode", "about", "calls at most", "each", "at most")
    print_table(columns, map(_step_row, plan.steps), empty="no steps", total=("at most",))
    say("")
    totals = shown_sum(of_currencies(plan.cost_at_most))
    say_of_plan("cost", f"at most {totals}{' for the rows of the upload' if plan.children else ''}")
    if plan.children:
        items = ", ".join(f"{at_most:,} by {emitter}" for emitter, at_most in plan.children)
        whole = shown_sum(of_currencies(plan.cost_with_children))
        say_of_plan("children", f"at most {whole} with every item that they can become: {items}")
    for step in plan.steps:
        if step.fallback_of:
            say_of_plan("waterfall", f"{step.slug}: only where {', '.join(step.fallback_of)} missed")
    for emitter, at_most in dict.fromkeys(also for step in plan.steps for also in step.also_for):
        say_of_plan("plus", f"steps marked + for each item that {emitter} emits, at most {at_most:,} an answer")
    for step in plan.steps:
        if step.reuse_for and not fresh:
            say_of_plan("reuse", f"{step.slug}: answers up to {_days(step.reuse_for)} old are not paid for again")
    for step in plan.steps:
        for use in step.keys:
            elsewhere = "  (not that provider's address)" if use.foreign else ""
            say_of_plan("key", f"{step.slug}: {use.variable} goes to {use.host}{elsewhere}")
    for step in plan.steps:
        for address in step.replaced:
            say_of_plan("replaced", replaced_by_simulator(step.slug, address))
    for slug in plan.left_out:
        say_of_plan("left out", f"{slug}: switched off for client {plan.client}")
    _say_lacking(plan)
    for problem in plan.problems:
        say_of_plan("problem", problem)


def _say_lacking(plan: LaunchPlan) -> None:
    """Which steps are skipped for want of an input, for how many rows, and how to say what a column is."""
    for one in plan.lacking:
        rows = f"{one.rows:,} of {'the first ' if one.of < plan.items else ''}{one.of:,} rows"
        why = f": {' and '.join(one.after)} {'is' if len(one.after) == 1 else 'are'} skipped there" if one.after else ""
        say_of_plan("lacks", f"{one.workflow}: {rows} are skipped, they have no {' or '.join(one.fields)}{why}")
    if plan.lacking and plan.unread:
        named = ", ".join(map(repr, plan.unread[:10]))
        say_of_plan("map", f"read as no field: {named}; --map COLUMN=field says what one is")


def _known(plan: LaunchPlan) -> str:
    """How many rows the client has already, and what that saves."""
    from enrichment_assets.domain.money import of_currencies, shown_sum

    rows = f"{plan.known_rows} of {plan.items} rows are in earlier batches of {plan.client}"
    if plan.known is Known.REFRESH:
        return f"{rows}, and are asked about again"
    return f"{rows}, and are skipped: at most {shown_sum(of_currencies(plan.not_spent))} is not spent"


def say_of_plan(what: str, text: str) -> None:
    """One line of the plan; what does not fit goes on below the text."""
    say(f"{what:9} {text}", indent=" " * 10)


def replaced_by_simulator(slug: str, address: str) -> str:
    """That the simulator is called instead of a configured address."""
    return f"{slug}: the simulator is called instead of {address}"


def _days(seconds: float) -> str:
    return f"{seconds / 86_400:g} days" if seconds >= 86_400 else f"{seconds / 3_600:.3g} hours"


def _step_row(step: StepPlan) -> tuple[object, ...]:
    from enrichment_assets.domain.money import Money

    provider = f"{step.provider} (sandbox)" if step.simulated else step.provider
    each = Money(step.cost_each, step.currency) if step.cost_each else None
    total = Money(step.cost_at_most, step.currency) if step.cost_at_most else None
    calls = f"{step.calls_at_most} +" if step.also_for else step.calls_at_most or None
    return (step.slug, provider, step.mode, step.entity, calls, each, total)
