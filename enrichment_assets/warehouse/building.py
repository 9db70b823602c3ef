"""Runs the SQL models: one batch in one DuckDB session, or the models over all batches.

A `table` model is streamed into a Parquet file that takes its place whole; a `view` model is only checked, or worked
out once for the session where several read it. Models that were not asked for are read from their files. A large batch
is built in ranges of items (`warehouse.chunks`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import duckdb

from enrichment_assets.domain.errors import ConfigurationError, InfrastructureError
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse.batch_session import BatchSession, open_session
from enrichment_assets.warehouse.chunks import ITEMS_A_CHUNK, Chunked, ItemRange
from enrichment_assets.warehouse.compaction import compact
from enrichment_assets.warehouse.copies import brought, published_as_one
from enrichment_assets.warehouse.files import Layout, put_in_place
from enrichment_assets.warehouse.generations import EVERYTHING, Scope
from enrichment_assets.warehouse.lead_columns import project_of
from enrichment_assets.warehouse.locking import locked_batch
from enrichment_assets.warehouse.on_demand import is_current
from enrichment_assets.warehouse.previews import (
    PREVIEW_ITEMS,
    Filled,
    PreviewRow,
    counted_preview,
    filled_columns,
    masked_preview,
)
from enrichment_assets.warehouse.project import Column, Model, Project, load_project
from enrichment_assets.warehouse.session import attach, connect, create_view, give_memory_back
from enrichment_assets.warehouse.writing import ROW_GROUP_ROWS, SHOWN_ROWS, write_parts, write_query


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What one build of one model made.

    Attributes:
        path: The Parquet file, or None for a view.
        preview: A few masked rows, when they were asked for (`warehouse.previews`).
        filled: How full the masked columns are; of a view of a large batch, those of its first items.
    """

    name: str
    rows: int
    seconds: float
    path: Path | None
    columns: tuple[Column, ...]
    preview: list[PreviewRow] = field(default_factory=list)
    filled: Filled | None = None


def build_models(
    settings: Settings,
    batch_key: str,
    select: Iterable[str] | None = None,
    *,
    previews: bool = False,
    items_a_chunk: int = ITEMS_A_CHUNK,
) -> list[ModelReport]:
    """Build the partitioned models of one batch (those named in `select`, default all), in dependency order.

    A model that a selected one reads and that was never built for this batch is built too, without a report.

    Args:
        settings: The installation.
        batch_key: The batch.
        select: Names of models.
        previews: Have a few masked rows of each model in its report.
        items_a_chunk: Models that are `per_item` are built for so many items at a time.

    Raises:
        NotFoundError: A model does not exist, or nothing was published for the batch.
        ConfigurationError: A model's SQL and its `schema.yml` disagree.
    """
    with open_session(settings, batch_key, items_a_chunk=items_a_chunk) as session:
        return build_in(session, select, previews=previews)


# crash point: models-are-built
def build_in(
    session: BatchSession, select: Iterable[str] | None = None, *, previews: bool = False
) -> list[ModelReport]:
    """`build_models` in a session that is new; afterwards it sees every model of the batch."""
    with locked_batch(session.layout, session.batch_key):
        scope = Scope(session.batch_key, session.client)
        return published_as_one(session.layout, scope, partial(_build_batch, session, select, previews))


def _build_batch(session: BatchSession, select: Iterable[str] | None, previews: bool) -> list[ModelReport]:
    project, layout = session.project, session.layout
    chosen = {model.name for model in project.choose(select, partitioned=True)}
    needed = {below.name for name in chosen for below in project.below(project.models[name])}
    reports = []
    session.read_sources()
    for model in project.models.values():
        if not model.partitioned:
            continue
        target = layout.model(model.name, session.client, session.batch_key)
        if model.name in chosen or (model.materialized == "table" and not target.exists() and model.name in needed):
            report = _built(session, model, target, previews)
            reports += [report] if model.name in chosen else []
        else:
            session.read_model(model)
    return reports


def build_analytics(
    settings: Settings, select: Iterable[str] | None = None, *, previews: bool = False
) -> list[ModelReport]:
    """Build the models over all batches (those named in `select`, default all), in dependency order.

    Those of a system are built once a batch of it was.
    """
    build = partial(_build_analytics, settings, select, previews)
    return published_as_one(Layout.of(settings), EVERYTHING, build)


def _build_analytics(settings: Settings, select: Iterable[str] | None, previews: bool) -> list[ModelReport]:
    layout = brought(settings)  # each time it is done anew: who was faster has read batches that are not here yet
    project = project_of(layout)
    connection = connect(layout)
    try:
        wanted = project.choose(select, partitioned=False)
        systems = _systems(connection, project, layout) if any(m.system for m in wanted) else set()
        chosen = [m for m in wanted if m.system is None or m.system in systems]
        attach(connection, project.needed_for(name for model in chosen for name in model.deps), layout)
        reports = [
            _as_it_is(connection, model, layout.analytics(model.name), previews)
            if model.on_demand and is_current(layout, project, model)
            else _build(connection, model, layout.analytics(model.name), None, previews)
            for model in chosen
        ]
        compact(layout, project, connection)
        return reports
    finally:
        connection.close()


def _as_it_is(connection: duckdb.DuckDBPyConnection, model: Model, target: Path, previews: bool) -> ModelReport:
    """What there is of a model below which nothing has changed since it was built."""
    create_view(connection, model.name, model.columns, [target])
    preview = masked_preview(connection, model) if previews else []
    filled = filled_columns(connection, model, target) if previews else None
    return ModelReport(model.name, _count(connection, model), 0.0, target, model.columns, preview, filled)


def _systems(connection: duckdb.DuckDBPyConnection, project: Project, layout: Layout) -> set[str]:
    """The systems of which any batch was extracted: of others there is nothing to build models from."""
    attach(connection, project.needed_for(["hq.batches"]), layout)
    return {row[0] for row in connection.execute("select distinct system from hq.batches").fetchall()} - {None}


def _built(session: BatchSession, model: Model, target: Path, previews: bool) -> ModelReport:
    if session.is_small:
        return _build_in_memory(session.connection, model, target, previews)
    batch = session.chunked(model) if model.per_item else None
    if model.held:
        report = _hold(session, model, batch, previews)
    else:
        report = _build(session.connection, model, target, batch, previews)
    give_memory_back(session.connection)
    return report


def _build_in_memory(connection: duckdb.DuckDBPyConnection, model: Model, target: Path, previews: bool) -> ModelReport:
    """Build one model as a table of the session, view or not, and write the table: its SQL is planned once."""
    started = time.perf_counter()
    is_view = model.materialized == "view"
    try:
        connection.execute(f'create or replace table "{model.name}" as {model.sql}')
    except duckdb.Error as error:
        raise _sql_fails(model, error) from error
    _check_columns(connection, model, f'"{model.name}"')
    if not is_view:
        with _writing(model), put_in_place(target) as unfinished:
            _write(connection, f'select * from "{model.name}"', unfinished)
    rows, preview = counted_preview(connection, model) if previews else (_count(connection, model), [])
    filled = filled_columns(connection, model, None) if previews else None
    path = None if is_view else target
    return ModelReport(model.name, rows, time.perf_counter() - started, path, model.columns, preview, filled)


def _build(
    connection: duckdb.DuckDBPyConnection, model: Model, target: Path, batch: Chunked | None, previews: bool
) -> ModelReport:
    """Build one model: in parts when `batch` is given and large, else in one go."""
    started = time.perf_counter()
    is_view = model.materialized == "view"
    with _writing(model):
        _check_columns(connection, model, model.sql)
        if is_view:
            connection.execute(f'create or replace view "{model.name}" as {model.sql}')
            rows, preview, filled = _look(connection, model, batch, previews)
        else:
            with put_in_place(target) as unfinished:
                rows = _write(connection, model.sql, unfinished, _several_parts(model, batch), _together(model))
            create_view(connection, model.name, model.columns, [target])
            preview = masked_preview(connection, model) if previews else []
            filled = filled_columns(connection, model, target) if previews else None
    path = None if is_view else target
    return ModelReport(model.name, rows, time.perf_counter() - started, path, model.columns, preview, filled)


def _hold(session: BatchSession, model: Model, batch: Chunked | None, previews: bool) -> ModelReport:
    """Work out a view once, for what is built and tested in this session: each reader would do it anew."""
    started = time.perf_counter()
    path = session.file_to_hold(model)
    with _writing(model):
        _check_columns(session.connection, model, model.sql)
        rows = _write(session.connection, model.sql, path, _several_parts(model, batch), in_passing=True)
    session.hold(model, path)
    preview = masked_preview(session.connection, model) if previews else []
    filled = filled_columns(session.connection, model, path) if previews else None
    return ModelReport(model.name, rows, time.perf_counter() - started, None, model.columns, preview, filled)


@contextmanager
def _writing(model: Model) -> Iterator[None]:
    try:
        yield
    except duckdb.IOException as error:
        raise InfrastructureError(
            f"The model {model.name} cannot be written: {error}", code="model.not_writable"
        ) from error


def _look(
    connection: duckdb.DuckDBPyConnection, model: Model, batch: Chunked | None, previews: bool
) -> tuple[int, list[PreviewRow], Filled | None]:
    """Rows and preview of a view; it is computed once for what may be shown, and once more where something may not."""
    if batch is None and previews:
        return *counted_preview(connection, model), filled_columns(connection, model, None)
    rows = sum(_count(connection, model) for _ in _parts(model, batch))
    if batch is None or not previews:
        return rows, [], None
    with batch.first_items(PREVIEW_ITEMS, load_project().tables_below(model)):
        return rows, masked_preview(connection, model), filled_columns(connection, model, None)


def _parts(model: Model, batch: Chunked | None) -> Iterable[ItemRange | None]:
    return [None] if batch is None else batch.each(load_project().tables_below(model))


def _several_parts(model: Model, batch: Chunked | None) -> Iterable[ItemRange | None] | None:
    """The parts of a large batch; None where one range is the whole batch."""
    return None if batch is None or len(batch.ranges) == 1 else _parts(model, batch)


# crash point: model-is-written
def _write(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    path: Path,
    parts: Iterable[ItemRange | None] | None = None,
    together: int = ROW_GROUP_ROWS,
    in_passing: bool = False,
) -> int:
    if parts is None:
        return write_query(connection, query, path, together=together, in_passing=in_passing)
    return write_parts(connection, query, parts, path, together=together, in_passing=in_passing)


def _together(model: Model) -> int:
    """Rows that are written together: fewer of the one model whose rows are shown page by page."""
    return SHOWN_ROWS if model.name == "final_leads" else ROW_GROUP_ROWS


def _count(connection: duckdb.DuckDBPyConnection, model: Model) -> int:
    return int(connection.execute(f'select count(*) from "{model.name}"').fetchall()[0][0])


def _check_columns(connection: duckdb.DuckDBPyConnection, model: Model, relation: str) -> None:
    """The SQL has to give exactly the columns and types that `schema.yml` promises to everyone downstream."""
    try:
        given = [(row[0], row[1]) for row in connection.execute(f"describe {relation}").fetchall()]
    except duckdb.Error as error:
        raise _sql_fails(model, error) from error
    promised = [(c.name, _full_name(c.type)) for c in model.columns]
    if given != promised:
        wrong = [f"{n} {t}" for n, t in given if (n, t) not in promised]
        missing = [f"{n} {t}" for n, t in promised if (n, t) not in given]
        raise ConfigurationError(
            f"{model.name} and its schema.yml disagree. In the SQL only: {', '.join(wrong) or 'nothing'}; "
            f"in schema.yml only: {', '.join(missing) or 'nothing'}; the order has to be the same too.",
            code="model.columns_disagree",
        )


def _sql_fails(model: Model, error: duckdb.Error) -> ConfigurationError:
    return ConfigurationError(f"The SQL of {model.name} does not run: {error}", code="model.sql_fails")


def _full_name(type_name: str) -> str:
    return "TIMESTAMP WITH TIME ZONE" if type_name == "TIMESTAMPTZ" else type_name
