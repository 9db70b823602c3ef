"""`enrich workflow test`: saved cases, and the stored answers of a batch read by a changed mapping."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say
from enrichment_assets.cli.tried import shown_value
from enrichment_assets.domain.errors import EnrichError

if TYPE_CHECKING:
    from enrichment_assets.services.tries.cases import CaseReport
    from enrichment_assets.services.tries.recording import Recorded
    from enrichment_assets.services.tries.replays import Comparison


def test(
    workflow: Annotated[str, typer.Argument(help="A workflow's slug, or its YAML file.")],
    cases: Annotated[
        Path | None, typer.Argument(help="Saved cases, one JSON object a line; with --record, the file to write.")
    ] = None,
    record: Annotated[
        str | None, typer.Option("--record", help="Write a file of cases from the stored answers of this batch.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=20_000, help="Cases that --record writes at most.")] = 20,
    replay: Annotated[
        str | None, typer.Option("--replay", help="Read the stored answers of this batch, and show what differs.")
    ] = None,
    definition: Annotated[
        Path | None, typer.Option("--definition", help="Read by the mapping of this file, not by the registered one.")
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="With --replay: keep it; --definition is registered first.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Test how a workflow reads answers, without a call: saved cases, or the stored answers of a batch.

    Each case has a name, an answer, and what is expected of it: fields with values, an outcome, or assertions (JMESPath
    over outcome, fields, payload, rejected, reason); docs/trying.md has the form. Exit code 1: one is not as expected.

    Examples: enrich workflow test my-step.yaml cases.jsonl, enrich workflow test my-step --replay acme-1-mine-1
    """
    from enrichment_assets.cli.home_guard import refuse_homeless
    from enrichment_assets.settings import Settings

    if sum(one is not None for one in (record, replay)) + (cases is not None and record is None) != 1:
        raise EnrichError(
            "Give a file of cases, or --record with one to write, or --replay with a batch.", code="option.test"
        )
    if apply and replay is None:
        raise EnrichError("--apply goes with --replay: cases change nothing.", code="option.apply_without_replay")
    settings = Settings.from_environment()
    if cases is None or record is not None:
        refuse_homeless(settings)
    if replay is not None:
        _replay(workflow, replay, definition, apply=apply, as_json=as_json)
    elif record is not None and cases is not None:
        _record(workflow, record, cases, limit, as_json=as_json)
    elif cases is not None:
        _run(workflow, cases, definition, as_json=as_json)
    else:
        raise EnrichError("--record needs the file to write, behind the workflow.", code="option.record_without_file")


def _run(workflow: str, cases: Path, definition: Path | None, *, as_json: bool) -> None:
    from enrichment_assets.services.shapes import cases as shapes
    from enrichment_assets.services.tries.case_files import read_cases
    from enrichment_assets.services.tries.cases import run_cases
    from enrichment_assets.services.tries.tested import tested_workflow
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    found = tested_workflow(lambda: opened_hq(settings), settings, workflow, definition)
    report = run_cases(found, read_cases(cases), cases)
    if as_json:
        print_json(shapes.WorkflowTest.of(report))
    else:
        _print_report(report)
    if report.failed:
        raise typer.Exit(1)


def _print_report(report: CaseReport) -> None:
    from enrichment_assets.cli.tables import print_table

    rows: list[tuple[object, ...]] = []
    for result in report.results:
        rows.append((result.name, "passed" if result.passed else "FAILED", result.ended, None, None, None, None))
        if result.expected_end is not None:
            rows.append((result.name, None, None, "(outcome)", result.expected_end, result.ended, result.reason))
        for one in result.differences:
            rows.append(
                (result.name, None, None, one.field, shown_value(one.expected), shown_value(one.got), one.rejected)
            )
        rows += [(result.name, None, None, "(assert)", text, "does not hold", None) for text in result.untrue]
    print_table(("case", "result", "outcome", "field", "expected", "got", "why"), rows)
    say(f"{report.workflow}: {len(report.results)} cases, {report.failed} failed")


def _record(workflow: str, batch: str, path: Path, limit: int, *, as_json: bool) -> None:
    from enrichment_assets.services.shapes import cases as shapes
    from enrichment_assets.services.tries.recording import record_cases

    done = record_cases(opened_hq(), batch, workflow, path, limit)
    if as_json:
        print_json(shapes.RecordedCases.of(done))
    else:
        _print_recorded(done)


def _print_recorded(done: Recorded) -> None:
    say(f"{done.cases} answers of {done.workflow} in batch {done.batch} are cases in {done.file}")
    say("They are as they came, personal data and all: the file is readable for this account only. Keep it so.")
    if done.gone:
        say(f"{done.gone} answers are not among them: retention took their bodies out")


def _replay(workflow: str, batch: str, definition: Path | None, *, apply: bool, as_json: bool) -> None:
    from enrichment_assets.services.shapes import cases as shapes
    from enrichment_assets.services.tries.replays import apply_replay, compare_replay
    from enrichment_assets.services.tries.tested import named_file, slug_in
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    if (file := named_file(workflow)) is not None:
        workflow, definition = slug_in(file), definition or file
    hq = opened_hq(settings)
    found = compare_replay(hq, settings, batch, workflow, definition)
    if apply:
        done = apply_replay(hq, settings, batch, workflow, definition, actor=actor())
        found = replace(found, applied=done)
    if as_json:
        print_json(shapes.ReplayComparison.of(found))
    else:
        _print_comparison(found, definition)


def _print_comparison(found: Comparison, definition: Path | None) -> None:
    from enrichment_assets.cli.recovery import print_replay
    from enrichment_assets.cli.tables import print_table

    by = f"the mapping of {definition}" if definition else "the registered mapping"
    say(f"{found.workflow} in batch {found.batch}, by {by}: {found.answers} stored answers, {found.differing} differ")
    if found.gone:
        say(f"{found.gone} answers cannot be read again: retention took their bodies out; what they said stays")
    if found.left:
        say(f"{found.left} stored answers decide nothing (an error status, an acknowledgement), before as now")
    for (before, after), answers in found.endings.items():
        say(f"{answers} answers were {before.replace('_', ' ')} and are {after.replace('_', ' ')} now")
    print_table(
        ("field", "same", "changed", "gained", "lost"),
        [(one.name, one.same, one.changed or None, one.gained or None, one.lost or None) for one in found.fields],
        empty="no field is mapped",
    )
    examples = [
        (one.name, e.change, e.row or None, e.item_id, shown_value(e.before), shown_value(e.after), e.rejected)
        for one in found.fields
        for e in one.examples
    ]
    if examples:
        typer.echo()
        print_table(("field", "change", "row", "item", "before", "after", "why not"), examples, title="examples")
    if found.applied is not None:
        typer.echo()
        print_replay(found.applied)
    elif found.differing or found.new_mapping:
        say("nothing was written; --apply keeps it")
