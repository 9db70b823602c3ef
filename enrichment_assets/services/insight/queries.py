"""Questions to the warehouse: SQL that a person wrote, named reports, and exports.

A person's SQL runs with its hands tied: only reading statements are run at all, and on a connection that reaches no
file outside the warehouse (`warehouse.open_warehouse(locked=True)`). What only some answers need (Arrow, workbooks, the
databases) is imported for those.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import duckdb

from enrichment_assets.domain.errors import EnrichError, NotFoundError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.spreadsheets import kept_as_text
from enrichment_assets.domain.suggestions import did_you_mean, instead
from enrichment_assets.services.catalog.known_clients import check_client
from enrichment_assets.services.insight.named_reports import REPORTS
from enrichment_assets.services.insight.query_errors import said_by_duckdb
from enrichment_assets.services.insight.target_files import checked_target, note_written
from enrichment_assets.services.shapes.shape import written
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import ensure_built, load_project, open_warehouse
from enrichment_assets.warehouse.copies import brought
from enrichment_assets.warehouse.files import put_in_place

if TYPE_CHECKING:
    import pyarrow as pa

    from enrichment_assets.store.hq import Hq

FileFormat = Literal["csv", "json", "parquet", "xlsx"]
_CHUNK_ROWS = 10_000
_BYTE_ORDER_MARK = "\ufeff"
_NO_QUESTION = re.compile(
    r"\b(enable_logging|disable_logging|truncate_duckdb_logs|(?:enable|disable)_profil(?:e|ing)|force_checkpoint"
    r"|json_execute_serialized_sql|query(?=\"?\s*(?:\(|/\*|--)))",
    re.IGNORECASE,
)
"""Functions of DuckDB that a SELECT can call and that do something else than answer. Looked for as text: the SQL that
`query()` runs is seen nowhere else."""


class Answer:
    """The rows of one query, streamed: `columns`, then `rows()` or `batches()` once. `given`: how many there were."""

    def __init__(self, result: duckdb.DuckDBPyConnection) -> None:
        self.given = 0
        self.columns: list[str] = [column[0] for column in result.description or []]
        self._result = result

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows as tuples of Python values."""
        while chunk := self._result.fetchmany(_CHUNK_ROWS):
            self.given += len(chunk)
            yield from chunk

    def batches(self) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """The rows as Arrow record batches, with their schema."""
        reader = self._result.to_arrow_reader(_CHUNK_ROWS)
        return reader.schema, self._counted(reader)

    def _counted(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            self.given += len(batch)
            yield batch


@contextmanager
def ask(
    hq: Hq | None,
    settings: Settings,
    query: str,
    parameters: Sequence[Any] | Mapping[str, Any] = (),
    *,
    client: str | None = None,
    batch: str | None = None,
    unsafe: bool = False,
) -> Iterator[Answer]:
    """Run SQL over everything extracted (of one client, when named) and yield its answer.

    Args:
        hq: The databases; None where no client is named: the warehouse alone answers.
        settings: The installation.
        query: One or more statements; the last one's rows are the answer.
        parameters: Values for `?` or `$name` in the query.
        client: Only this client's rows are there to be seen.
        batch: Only this batch's (with its `client`).
        unsafe: Let the query reach other files (`read_csv('...')`, `COPY ... TO`): for one's own SQL only.

    Raises:
        NotFoundError: There is no such client.
        EnrichError: Nothing is asked, or the query does not run; the message is DuckDB's, with what was probably meant.
    """
    if hq is not None:
        check_client(hq, settings, client)
    ensure_built(settings, query)
    connection = open_warehouse(settings, client_slug=client, batch_key=batch, locked=not unsafe, question=query)
    try:
        if not connection.extract_statements(query):
            raise EnrichError("Nothing was asked: there is no statement in that SQL", code="query.empty")
        if not unsafe:
            _refuse_writing(connection, query)
        yield Answer(connection.execute(query, parameters))
    except duckdb.Error as error:
        raise EnrichError(
            f"The query does not run: {said_by_duckdb(error, connection, query)}", code="query.failed"
        ) from error
    finally:
        connection.close()


def _refuse_writing(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Let through what reads (SELECT, to DuckDB also SHOW, DESCRIBE, SUMMARIZE), and CREATE, which stays in memory."""
    for statement in connection.extract_statements(query):
        if statement.type not in (duckdb.StatementType.SELECT, duckdb.StatementType.CREATE):
            raise EnrichError(
                f"Only questions can be asked (SELECT, PIVOT, SHOW, DESCRIBE, SUMMARIZE), not {statement.type.name}",
                Hint(Action.ALLOW_WRITING),
                code="query.not_a_question",
            )
    if (found := _NO_QUESTION.search(query)) is not None:
        raise EnrichError(
            f"Only questions can be asked, not {found[1].lower()}: it changes the session or runs other SQL",
            Hint(Action.ALLOW_WRITING),
            code="query.changes_the_session",
        )


def report_query(name: str, batch: str | None) -> tuple[str, list[str]]:
    """SQL and parameters of a named report, over one batch or all.

    Raises:
        NotFoundError: There is no report of that name.
    """
    if name not in REPORTS:
        raise NotFoundError(f"there is no report {name!r}: {instead(name, REPORTS)}", code="report.not_found")
    report = REPORTS[name]
    where = "" if batch is None else " where batch_key = ?"
    return f"select * from {report.model}{where} order by {report.order}", [] if batch is None else [batch]


def known_batch(settings: Settings, batch_key: str) -> str:
    """The client of an extracted batch.

    Raises:
        NotFoundError: It is neither a report nor an extracted batch.
    """
    try:
        return brought(settings, batch_key=batch_key).client_of(batch_key)
    except NotFoundError:
        names = ", ".join(REPORTS)
        guess = did_you_mean(batch_key, REPORTS).removeprefix("; ").capitalize()
        text = f"`{batch_key}` is no report ({names}) and no batch that was extracted."
        raise NotFoundError(f"{text} {guess}".strip(), code="batch.not_extracted") from None


# opens files of ours: what a query is written to
def write_answer(answer: Answer, target: Path, *, format_: FileFormat, spreadsheet_safe: bool = False) -> int:
    """Write an answer to a file, which is put in place whole; returns the number of rows."""
    with put_in_place(checked_target(target)) as unfinished:
        if format_ == "parquet":
            return _write_parquet(answer, unfinished)
        if format_ == "xlsx":
            from enrichment_assets.services.uploads.workbooks.writing import write_workbook

            return write_workbook(answer.columns, answer.rows(), unfinished)
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            return write_text(answer, file, format_=format_, spreadsheet_safe=spreadsheet_safe)


def write_text(
    answer: Answer, file: IO[str], *, format_: Literal["csv", "json"], spreadsheet_safe: bool = False
) -> int:
    """Write an answer as CSV (RFC 4180, header first) or as a JSON list of objects; returns the number of rows.

    Cells are written as they are. A spreadsheet runs a cell that starts with `=`, `+`, `-` or `@` as a formula, and
    anyone can put such a cell into an upload; it takes others for numbers and dates and saves them changed.
    `spreadsheet_safe` writes an apostrophe before all of these, header cells too, and a byte order mark in front.
    """
    count = 0
    if format_ == "csv":
        writer = csv.writer(file)
        if spreadsheet_safe:
            file.write(_BYTE_ORDER_MARK)
        writer.writerow([_cell(name, spreadsheet_safe) for name in answer.columns])
        for row in answer.rows():
            writer.writerow([_cell(value, spreadsheet_safe) for value in row])
            count += 1
        return count
    file.write("[")
    for row in answer.rows():
        file.write(
            (",\n" if count else "\n") + json.dumps(dict(zip(answer.columns, row, strict=True)), default=_in_json)
        )
        count += 1
    file.write("\n]\n")
    return count


def _in_json(value: Any) -> str:
    """What JSON has no form for: times as everywhere else, exact numbers as text, the rest as Python shows it."""
    try:
        return written(value)
    except TypeError:
        return str(value)


def export_model(
    hq: Hq, settings: Settings, batch_key: str, model: str, target: Path, *, spreadsheet_safe: bool = False
) -> int:
    """Write one model of one batch to `.csv`, `.xlsx`, `.json` or `.parquet`; returns the number of rows.

    Raises:
        NotFoundError: No such model, or nothing extracted of this batch.
        EnrichError: The file's ending is none of these.
    """
    format_ = file_format(target)
    spec = load_project().model(model)
    client = brought(settings, batch_key=batch_key).client_of(batch_key)
    if not any(column.name == "batch_key" for column in spec.columns):
        raise EnrichError(
            f"{model} is not kept per batch",
            Hint(Action.QUERY_MODEL, {"model": model, "file": str(target)}),
            code="model.not_per_batch",
        )
    keys = [
        c.name for c in spec.columns if c.name in ("item_id", "source_workflow", "workflow_slug", "ordinal", "field")
    ]
    order = f" order by {', '.join(keys)}" if keys else ""
    query = f'select * from "{model}" where batch_key = ?{order}'
    note_written(hq, "export", batch_key, checked_target(target))
    with ask(hq, settings, query, [batch_key], client=client, unsafe=True) as answer:
        return write_answer(answer, target, format_=format_, spreadsheet_safe=spreadsheet_safe)


def file_format(target: Path) -> FileFormat:
    """The format that a file's ending asks for. Raises `EnrichError` for another, and where the file cannot be made."""
    formats: dict[str, FileFormat] = {".csv": "csv", ".json": "json", ".parquet": "parquet", ".xlsx": "xlsx"}
    if target.suffix.lower() not in formats:
        raise EnrichError(
            f"`{target.name}` should end in .csv, .xlsx, .json or .parquet.", code="export.format_unknown"
        )
    checked_target(target)
    return formats[target.suffix.lower()]


def _write_parquet(answer: Answer, path: Path) -> int:
    import pyarrow.parquet as pq

    schema, batches = answer.batches()
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
    return answer.given


def _cell(value: Any, spreadsheet_safe: bool) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if spreadsheet_safe and isinstance(value, str):
        return kept_as_text(value)
    return value
