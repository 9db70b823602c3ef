"""`enrich review ...`: a person looks at drafts before they leave (docs/review.md)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.assignments import parse_names
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.services.review.deciding import Selection
    from enrichment_assets.services.review.listing import Reviewed, Wanted

app = typer.Typer(
    name="review",
    help="Drafts that a person approves before they leave, and questions that pipelines ask people.",
    no_args_is_help=True,
)

SAMPLE = 3
"""Drafts that are shown before many are approved."""


class State(StrEnum):
    """Where a draft stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    OUTDATED = "outdated"


Which = Annotated[str, typer.Argument(help="The draft: item and workflow, as 17/personalise-email, or the item alone.")]
Several = Annotated[list[str] | None, typer.Argument(help="Drafts, as 17/personalise-email; or --batch.")]
OfBatch = Annotated[str | None, typer.Option("--batch", help="Drafts of this batch.")]
OfClient = Annotated[str | None, typer.Option("--client", help="Drafts of this client's batches.")]
OfWorkflow = Annotated[str | None, typer.Option("--workflow", help="Drafts of this workflow.")]
Grade = Annotated[str | None, typer.Option("--grade", help="Drafts for leads of this grade, as A.")]
InState = Annotated[State | None, typer.Option("--state", help="Drafts that stand so.")]
Where = Annotated[list[str] | None, typer.Option("--where", help="field=value of the lead; may be repeated.")]
Note = Annotated[str | None, typer.Option("--note", help="Why, for those who ask later.")]
Yes = Annotated[bool, typer.Option("--yes", help="Ask nothing: the filter is enough.")]


@app.command("list")
def list_(
    batch: OfBatch = None,
    client: OfClient = None,
    workflow: OfWorkflow = None,
    grade: Grade = None,
    state: InState = None,
    where: Where = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000_000, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show drafts and where they stand, those of the newest batch first.

    Example: enrich review list --batch acme-1-research-and-write-1 --grade A --state waiting
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.deliveries.gate_review import said_of
    from enrichment_assets.services.review.listing import list_drafts
    from enrichment_assets.services.shapes import reviews as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    found = list_drafts(hq, _wanted(batch, client, workflow, grade, state, where), limit)
    gate = said_of(hq, settings, [(one.batch, one.draft.item_id) for one in found])
    if as_json:
        print_json(shapes.Review.of(one, gate.get((one.batch, one.draft.item_id), ())) for one in found)
        return
    rows = [
        (one.name, one.batch, _state(one), one.person, one.draft.lead.get("company_name"), one.grade, _by(one),
         "; ".join(gate.get((one.batch, one.draft.item_id), ())))
        for one in found
    ]  # fmt: skip
    columns = ("draft", "batch", "state", "person", "company", "grade", "said by", "gate")
    print_table(columns, rows, once=("batch",), brief=("draft", "state", "person", "grade", "gate"), empty="no drafts")


@app.command("show")
def show(which: Which, as_json: AsJson = False) -> None:
    """Show a draft, the facts that it rests on, and all that was said of it.

    Example: enrich review show 17/personalise-email
    """
    from enrichment_assets.services.review.listing import find_draft
    from enrichment_assets.services.shapes import reviews as shapes

    found = find_draft(opened_hq(), which)
    if as_json:
        print_json(shapes.ReviewDetail.of(found))
        return
    _show(found.reviewed)
    say("facts:")
    for name, value in found.reviewed.draft.facts.items():
        say(f"  {name}: {value}")
    for said in found.history:
        why = f": {said.note}" if said.note else ""
        say(f"{said.decided.decision.value} by {said.actor} at {said.at:%Y-%m-%d %H:%M}{why}")


@app.command("approve")
def approve(
    which: Several = None,
    batch: OfBatch = None,
    workflow: OfWorkflow = None,
    grade: Grade = None,
    state: InState = None,
    where: Where = None,
    sha256: Annotated[str | None, typer.Option("--sha256", help="Only these bytes, as `show` gives them.")] = None,
    note: Note = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Approve the exact bytes of drafts: of those that are named, or of those of a batch that wait.

    Of a batch some are shown first, and their number is asked for. A change of the draft, of the lead's facts that it
    rests on, or of its workflow's template makes an approval void.

    Example: enrich review approve --batch acme-1-research-and-write-1 --grade A
    """
    from enrichment_assets.services.review import deciding

    hq = opened_hq()
    selections = _selected(which, _wanted(batch, None, workflow, grade, state, where), sha256)
    _ask(selections, "approve", asks=not (which or yes))
    done = sum(deciding.approve(hq, selection, actor=actor(), note=note) for selection in selections)
    _tell("approved", done, as_json)


@app.command("reject")
def reject(
    which: Several = None,
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
    batch: OfBatch = None,
    workflow: OfWorkflow = None,
    grade: Grade = None,
    state: InState = None,
    where: Where = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Reject drafts, with a reason. One that is written anew or edited waits again.

    Example: enrich review reject 17/personalise-email --reason 'names the wrong product'
    """
    from enrichment_assets.services.review import deciding

    hq = opened_hq()
    selections = _selected(which, _wanted(batch, None, workflow, grade, state, where), None)
    _ask(selections, "reject", asks=not (which or yes))
    done = sum(deciding.reject(hq, selection, actor=actor(), reason=reason) for selection in selections)
    _tell("rejected", done, as_json)


@app.command("edit")
def edit(
    which: Which,
    values: Annotated[list[str], typer.Argument(help="field=text, as draft_subject='A word about Pine Hills'.")],
    note: Note = None,
    approve: Annotated[bool, typer.Option("--approve", help="Approve what it says then, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Correct fields of a draft: new bytes, which nobody has approved. Nothing is overwritten.

    Example: enrich review edit 17/personalise-email draft_subject='A word about Pine Hills' --approve
    """
    from enrichment_assets.services.review import deciding
    from enrichment_assets.services.review.listing import find_draft
    from enrichment_assets.services.shapes import reviews as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    found = deciding.edit(hq, settings, which, dict(parse_names(values, "a correction")), actor=actor(), note=note)
    if approve:
        for selection in deciding.named([found]):
            deciding.approve(hq, selection, actor=actor(), note=note)
        found = find_draft(hq, found.reviewed.name)
    if as_json:
        print_json(shapes.ReviewDetail.of(found))
        return
    _show(found.reviewed)


@app.command("questions")
def questions(
    batch: OfBatch = None,
    client: OfClient = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what pipelines ask people, the oldest question of a batch first.

    Example: enrich review questions --client acme
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.review.asking import list_questions
    from enrichment_assets.services.shapes import reviews as shapes

    found = list_questions(opened_hq(), batch=batch, client=client, limit=limit)
    if as_json:
        print_json(map(shapes.ReviewQuestion.of, found))
        return
    rows = [
        (
            one.name,
            one.batch,
            one.question,
            "; ".join(f"{name}: {value}" for name, value in one.shows.items() if value is not None),
            ", ".join(one.answer.get("properties", {})),
            "answered" if one.answered else None,
        )
        for one in found
    ]
    columns = ("review", "batch", "question", "about", "answer", "state")
    print_table(columns, rows, once=("batch", "question"), brief=("review", "about", "answer"), empty="nobody is asked")


@app.command("answer")
def answer(
    which: Annotated[str, typer.Argument(help="The question: item and workflow, as 17/review-lead, or the item.")],
    values: Annotated[list[str], typer.Argument(help="field=value of the answer, as worth_a_call=true.")],
    as_json: AsJson = False,
) -> None:
    """Answer a question: the lead goes on through its pipeline with the answer's fields.

    Example: enrich review answer 17/review-lead worth_a_call=true
    """
    from enrichment_assets.services.review import asking
    from enrichment_assets.services.shapes import reviews as shapes

    given = parse_names(values, "an answer")
    done = asking.answer(opened_hq(), which, given, actor=actor())
    if as_json:
        print_json(shapes.ReviewQuestion.of(done, answered=True))
        return
    say(f"{done.name} is answered; the lead goes on by itself where the platform runs, else: enrich run {done.batch}")


def _wanted(
    batch: str | None,
    client: str | None,
    workflow: str | None,
    grade: str | None,
    state: State | None,
    where: list[str] | None,
) -> Wanted:
    from enrichment_assets.domain.drafts import Standing
    from enrichment_assets.services.review.listing import Wanted

    standing = None if state is None else Standing(state.value)
    return Wanted(batch, client, workflow, grade, standing, parse_names(where or [], "--where"))


def _selected(which: list[str] | None, wanted: Wanted, sha256: str | None) -> list[Selection]:
    from enrichment_assets.domain.errors import ConfigurationError
    from enrichment_assets.services.review import deciding
    from enrichment_assets.services.review.listing import find_draft

    if bool(which) == (wanted.batch is not None):
        raise ConfigurationError("name drafts, or a batch: one of the two", code="review.drafts_or_batch")
    hq = opened_hq()
    if which:
        return deciding.named([find_draft(hq, name) for name in which], sha256)
    return [deciding.select(hq, wanted)]


def _ask(selections: Sequence[Selection], what: str, *, asks: bool) -> None:
    """Show some of many drafts, and let a person say how many they are. Raises `typer.Abort` for another number."""
    drafts = [one for selection in selections for one in selection.drafts]
    if not asks or not drafts:
        return
    for one in drafts[:SAMPLE]:
        _show(one, err=True)
    more = len(drafts) - SAMPLE
    if more > 0:
        say(f"... and {more} more", err=True)
    said = typer.prompt(f"{what} {_drafts(len(drafts))}? Type the number", default="", show_default=False, err=True)
    if said.strip() != str(len(drafts)):
        say("nothing was changed", err=True)
        raise typer.Abort


def _tell(decision: str, done: int, as_json: bool) -> None:
    from enrichment_assets.services.shapes import reviews as shapes

    if as_json:
        print_json(shapes.ReviewChange(decision, done))
        return
    say(f"{_drafts(done)} {decision}" if done else "no draft waits for that")


def _drafts(count: int) -> str:
    return f"{count} draft{'' if count == 1 else 's'}"


def _show(one: Reviewed, *, err: bool = False) -> None:
    about = ", ".join(filter(None, (one.person, one.draft.lead.get("company_name"))))
    say(f"{one.name}  {_state(one)}  {about}", bold=True, err=err)
    for name, value in one.draft.values.items():
        say(f"  {name}: {value}", err=err)
    say(f"  sha256: {one.draft.of.draft.hex()}", err=err)


def _state(one: Reviewed) -> str:
    return f"{one.standing.value}: {', '.join(one.changed)} changed" if one.changed else one.standing.value


def _by(one: Reviewed) -> str | None:
    return None if one.approval is None else one.approval.actor
