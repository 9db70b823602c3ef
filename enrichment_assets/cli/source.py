"""`enrich source ...`: tables of the workspace whose rows become leads by themselves (docs/sources.md)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say
from enrichment_assets.domain.sources import Window

if TYPE_CHECKING:
    from enrichment_assets.services.sources.checking import Checked
    from enrichment_assets.store.sources.table_sources import Source

app = typer.Typer(
    name="source",
    help="Tables of the workspace whose rows become leads by themselves, and are told how they ended.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="Its name.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="A name for it: small letters, digits and -.")],
    table: Annotated[str, typer.Option("--table", help="The table of the workspace: courses, or crm.courses.")],
    key: Annotated[str, typer.Option("--key", help="The column by which a row is known: its primary key.")],
    where: Annotated[list[str], typer.Option("--where", help="COLUMN=VALUE of the rows that are taken.")],
    pipeline: Annotated[str, typer.Option("--pipeline", help="What the rows go through.")],
    client: Annotated[str, typer.Option("--client", help="Whose leads they are.")],
    done: Annotated[list[str], typer.Option("--done", help="COLUMN=VALUE that a row gets when it is through.")],
    failed: Annotated[list[str], typer.Option("--failed", help="COLUMN=VALUE where a step of it failed.")],
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", help="COLUMN=field, comma-separated or repeated; COLUMN= for no field."),
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="A column that is told why a row failed.")] = None,
    every: Annotated[str, typer.Option("--every", help="How often it is looked at: 30s, 5m, 1h.")] = "1m",
    at_most: Annotated[int, typer.Option("--at-most", help="Rows that are taken at a look.")] = 500,
    gather: Annotated[
        Window, typer.Option("--gather", help="Rows of the same hour or day share a batch.")
    ] = Window.HOUR,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what the table has, how many rows match, and what is wrong.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take rows of a table from now on, as they are inserted, and write back how they ended.

    Example: enrich source add golf-courses --table courses --key id --where status=pending_enrichment
    --map course_name=company_name --pipeline golf --client acme --done status=enriched --failed status=failed
    """
    from enrichment_assets.domain.sources import TableSource, checked_source_name, pairs_of, seconds_of
    from enrichment_assets.services.shapes import sources as shapes
    from enrichment_assets.services.sources.checking import check_source
    from enrichment_assets.services.sources.gathering import Into
    from enrichment_assets.services.sources.table_sources import add_source
    from enrichment_assets.settings import Settings

    definition = TableSource(
        table=table,
        key=key,
        where=pairs_of(where, "--where"),
        done=pairs_of(done, "--done"),
        failed=pairs_of(failed, "--failed"),
        mapping=pairs_of(mapping or [], "--map", blank=True),
        reason=reason,
        every=seconds_of(every),
        at_most=at_most,
        gather=gather,
    )
    settings = Settings.from_environment()
    hq = opened_hq(settings)
    if dry_run:
        into = Into(client, pipeline, checked_source_name(name), "table", gather, dict(definition.mapping))
        _print_check(name, check_source(hq, settings, into, definition), as_json)
        return
    source, checked = add_source(hq, settings, name, client, pipeline, definition, actor=actor())
    if as_json:
        print_json(shapes.Source.of(source))
        return
    say(f"source {name}: {_matching(checked)} of {checked.table} match now")
    say("with `enrich up` running they are taken by themselves; else: enrich source look " + name)


@app.command("check")
def check(name: Name, as_json: AsJson = False) -> None:
    """Say what a source would meet now: its table, its columns, how many rows match, and what is wrong.

    Example: enrich source check golf-courses
    """
    from enrichment_assets.services.sources.table_sources import check_again
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    _, checked = check_again(opened_hq(settings), settings, name)
    _print_check(name, checked, as_json)


@app.command("list")
def list_(
    client: Annotated[str | None, typer.Option("--client", help="Only this client's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show all sources, how they fare, and how their rows ended.

    Example: enrich source list
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.shapes import sources as shapes
    from enrichment_assets.services.sources.table_sources import list_sources
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    found = list_sources(opened_hq(settings), settings, client)
    if as_json:
        print_json(map(shapes.Source.of, found))
        return
    rows = [
        (one.name, one.client, one.pipeline, one.definition.table, _state(one), one.under_way, _ended(one.ended))
        for one in found
    ]
    print_table(
        ("name", "client", "pipeline", "table", "state", "under way", "ended"), rows, empty="there are no sources"
    )


@app.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """Show a source, and its rows under way, the oldest first.

    Example: enrich source show golf-courses
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.shapes import sources as shapes
    from enrichment_assets.services.sources.table_sources import get_source, rows_under_way

    hq = opened_hq()
    source = get_source(hq, name)
    rows = rows_under_way(hq, source)
    if as_json:
        print_json(shapes.SourceDetail(shapes.Source.of(source), tuple(map(shapes.SourceRow.of, rows))))
        return
    said = source.definition
    say(f"source {name} is {_state(source)}; {source.under_way} rows under way; {_ended(source.ended) or 'none ended'}")
    chosen = _pairs(said.where, " and ")
    say(f"takes      {said.table} by {said.key} where {chosen}, {said.at_most} every {said.every:g} s")
    say(f"through    {source.pipeline}, for {source.client}; a batch for each {said.gather.value}")
    say(f"reads      {_pairs(said.mapping) or 'columns by their names'}")
    say(f"writes     {_pairs(said.done)}; where a step failed {_pairs(said.failed)}{_why(said.reason)}")
    shown = [(row.key, row.job_id, row.batch, row.since.astimezone(UTC)) for row in rows]
    print_table(("key", "job", "batch", "since"), shown, empty="no rows are under way")


@app.command("look")
def look(name: Name, as_json: AsJson = False) -> None:
    """Look at a source's table now: take new rows, and write back those that are through.

    With `enrich up` running this happens by itself.

    Example: enrich source look golf-courses
    """
    from enrichment_assets.assets.instance import InstancePartitions
    from enrichment_assets.domain.errors import EnrichError
    from enrichment_assets.installation.running_stack import running_stack
    from enrichment_assets.services.shapes import sources as shapes
    from enrichment_assets.services.sources.looking import look_at
    from enrichment_assets.services.sources.table_sources import get_source
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    done = look_at(hq, settings, get_source(hq, name), actor=actor(), add_partition=InstancePartitions(settings).add)
    if as_json:
        print_json(shapes.SourceLook.of(done))
        return
    if done.problem:
        raise EnrichError(f"source {name}: {done.problem}", code="source.look_failed")
    say(done.sentence())
    if done.batch and running_stack(settings) is None:
        say(f"next: enrich run {done.batch} --wait")


@app.command("pause")
def pause(name: Name, as_json: AsJson = False) -> None:
    """Take no more rows of a source; those under way go on, and are written back.

    Example: enrich source pause golf-courses
    """
    from enrichment_assets.services.sources.table_sources import pause_source

    source = pause_source(opened_hq(), name, actor=actor())
    _changed(source, f"source {name} takes no more rows; {source.under_way} are under way", as_json)


@app.command("resume")
def resume(name: Name, as_json: AsJson = False) -> None:
    """Take rows of a source again.

    Example: enrich source resume golf-courses
    """
    from enrichment_assets.services.sources.table_sources import resume_source

    _changed(resume_source(opened_hq(), name, actor=actor()), f"source {name} takes rows again", as_json)


@app.command("remove")
def remove(
    name: Name,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Also where rows are under way: their table is not told how they end.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Forget a source; its batches and leads stay.

    Example: enrich source remove golf-courses
    """
    from enrichment_assets.services.sources.table_sources import remove_source

    source = remove_source(opened_hq(), name, actor=actor(), abandon=abandon)
    _changed(source, f"source {name} is gone; {source.under_way} rows of it were under way", as_json)


def _changed(source: Source, sentence: str, as_json: bool) -> None:
    from enrichment_assets.services.shapes import sources as shapes

    if as_json:
        print_json(shapes.Source.of(source))
    else:
        say(sentence)


def _print_check(name: str, checked: Checked, as_json: bool) -> None:
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.domain.errors import EnrichError
    from enrichment_assets.services.shapes import sources as shapes

    if as_json:
        print_json(shapes.SourceCheck.of(name, checked))
        return
    if checked.problems:
        raise EnrichError(f"source {name}: {'; '.join(checked.problems)}", code="source.check_failed")
    say(f"table {checked.table}: {_matching(checked)} match")
    rows = [(column.name, column.type, column.field) for column in checked.columns]
    print_table(("column", "type", "is read as"), rows, empty="it has no columns")


def _matching(checked: Checked) -> str:
    more = "at least " if checked.matching >= checked.counted_to else ""
    return f"{more}{checked.matching:,} rows"


def _state(source: Source) -> str:
    if source.problem:
        return f"in trouble: {source.problem}"
    return "paused" if source.paused_at else "on"


def _ended(ended: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {end}" for end, count in sorted(ended.items()))


def _pairs(pairs: Mapping[str, str], between: str = ", ") -> str:
    return between.join(f"{column}={value}" for column, value in pairs.items())


def _why(reason: str | None) -> str:
    return f", and why to {reason}" if reason else ""
