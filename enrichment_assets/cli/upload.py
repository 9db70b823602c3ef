"""`enrich upload`, `enrich uploads` and `enrich rejections`: files in, and what of them could not be read."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say
from enrichment_assets.cli.tables import print_table
from enrichment_assets.settings import Settings

if TYPE_CHECKING:
    from enrichment_assets.services.uploads.upload import UploadReport


def register(app: typer.Typer) -> None:
    """Add the commands to the top level."""
    app.command("upload")(upload)
    app.command("uploads")(uploads)
    app.command("rejections")(rejections)


def upload(
    file: Annotated[Path, typer.Argument(help="A file of delimited text or an .xlsx workbook, as it was exported.")],
    client: Annotated[str, typer.Option("--client", "-c", help="Slug of the client that the rows belong to.")],
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="utf-8, cp1252, gb18030 ...; default: found out.")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option("--delimiter", help="Between cells: , ; | or tab; default: found out.")
    ] = None,
    sheet: Annotated[
        str | None, typer.Option("--sheet", help="Of a workbook; default: the first one that is filled.")
    ] = None,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="COLUMN=field, repeatable: 'Job Title=title'; 'Code=' for none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Keep a file as an upload of a client and count its rows.

    Any delimiter, encoding, quoting and line ending that exports have is read; every cell stays as it was. Rows that
    cannot be read become rejections with line and reason. The same file again is recognised; with other options it is
    another upload.

    Example: enrich upload leads.csv --client acme --map "Funktion=title"
    """
    from enrichment_assets.services.shapes import uploads as shapes
    from enrichment_assets.services.uploads.options import UploadOptions, parse_mapping
    from enrichment_assets.services.uploads.upload import upload_file

    options = UploadOptions(encoding, delimiter, sheet, parse_mapping(mapping or ()))
    settings = Settings.from_environment()
    hq = opened_hq(settings)
    report = upload_file(hq, settings, file, client, options=options, actor=actor())
    if as_json:
        print_json(shapes.UploadReport.of(report))
    else:
        _print_report(report)


def _print_report(report: UploadReport) -> None:
    known = " (already known: the client has uploaded these bytes before)" if report.already_known else ""
    say(f"Upload {report.upload_id} of {report.client}: {_line(report.filename)}{known}")
    _detail(f"{report.rows:,} rows = {report.items:,} items + {report.rejected:,} rejected")
    if report.blank_lines:
        _detail(f"{report.blank_lines:,} blank lines, which are no rows")
    if report.lines_above:
        _detail(f"{report.lines_above:,} lines above the header, which are no rows")
    how = f"sheet {_line(report.sheet)}" if report.sheet else f"{report.encoding}, {_shown(report.delimiter)}"
    _detail(f"{len(report.columns):,} columns, {how}")
    mapped = {column.field: column.name for column in report.columns if column.field and column.rank == 0}
    for field, name in mapped.items():
        _detail(f"  {field} <- {_line(name)}")
    if report.unused:
        _detail(f"kept, and used by no built-in step: {_line(', '.join(report.unused), 400)}")
    if report.look.letters:
        _detail(f"as read: {'   '.join(map(_line, report.look.letters))}")
    for warning in report.warnings():
        _detail(f"warning: {_line(warning, 400)}")
    if report.rejected:
        say(f"See why: enrich rejections {report.upload_id}")
    if report.recognised:
        say(f"Next: enrich launch {report.upload_id} --pipeline NAME --dry-run")


def _detail(text: str) -> None:
    say(f"  {text}", indent="  ")


def uploads(
    client: Annotated[str | None, typer.Option("--client", "-c", help="Only of this client.")] = None,
    as_json: AsJson = False,
) -> None:
    """List uploads, newest first.

    Example: enrich uploads --client acme
    """
    from enrichment_assets.services.shapes import uploads as shapes
    from enrichment_assets.services.uploads.upload import list_uploads

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    found = list_uploads(hq, settings, client)
    if as_json:
        print_json(map(shapes.Upload.of, found))
        return
    print_table(
        ("upload", "client", "file", "rows", "rejected", "columns", "sha256", "source", "uploaded"),
        [
            (
                one.upload_id,
                one.client,
                one.filename,
                one.rows,
                one.rejected or None,
                len(one.columns),
                one.sha256[:12],
                one.source,
                one.created_at,
            )
            for one in found
        ],
        empty="No uploads yet: `enrich upload FILE --client SLUG`",
        once=("client", "source"),
    )


def rejections(
    upload_id: Annotated[int, typer.Argument(metavar="UPLOAD", help="Id of the upload.")],
    limit: Annotated[int, typer.Option(help="Show at most this many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show the rows of an upload that could not be read: line, reason and text.

    Example: enrich rejections 7 --json > rejected.json
    """
    from enrichment_assets.services.shapes import uploads as shapes
    from enrichment_assets.services.uploads.upload import list_rejections

    hq = opened_hq()
    found = list_rejections(hq, upload_id)
    if as_json:
        print_json(map(shapes.Rejection.of, found))
        return
    shown = list(islice(found, limit))
    print_table(
        ("line", "row", "reason", "text"),
        [(row["line_number"], row["row_number"], row["reason"], row["raw"]) for row in shown],
        title=f"upload {upload_id}",
        empty=f"Upload {upload_id} has no rejections.",
    )
    if next(found, None) is not None:
        say(f"There are more: --limit N shows more than {limit:,}, --json all.")


def _shown(delimiter: str) -> str:
    return {"\t": "separated by tabs", "|": "separated by |"}.get(delimiter, f"separated by {delimiter!r}")


def _line(text: str, longest: int = 80) -> str:
    """One line of a stranger's text, without what a terminal would obey."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
