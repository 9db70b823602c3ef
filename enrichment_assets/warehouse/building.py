"""Runs the SQL models: one batch in one DuckDB session, or the models over all batches.

A `table` model is streamed into a Parquet file that takes its place whole; a `view` model is only checked. Models that
were not asked for are read from their files. A large batch is built in ranges of items (`warehouse.chunks`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import duckdb

from enrichment_assets.domain.errors import ConfigurationError, InfrastructureError
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse.chunks import ITEMS_A_CHUNK, Chunked, ItemRange, ranges_of
from enrichment_assets.warehouse.compaction import compact
from enrichment_assets.warehouse.copies import brought, published_as_one
from enrichment_assets.warehouse.files import Layout, put_in_place
from enrichment_assets.warehouse.generations import EVERYTHING, Scope
from enrichment_assets.warehouse.lead_columns import project_of
from enrichment_assets.warehouse.locking import locked_batch
from enrichment_assets.warehouse.previews import (
    PREVIEW_ITEMS,
    Filled,
    PreviewRow,
    counted_preview,
    filled_columns,
    masked_preview,
)
from enrichment_assets.warehouse.project import Column, Model, load_project
from enrichment_assets.warehouse.session import attach, attach_model, connect, create_view, give_memory_back
from enrichment_assets.warehouse.writing import write_parts, write_query


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


# crash point: models-are-built
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
    layout = brought(settings, batch_key=batch_key)
    scope = Scope(batch_key, layout.client_of(batch_key))
    with locked_batch(layout, batch_key):
        build = partial(_build_batch, layout, batch_key, select, previews, items_a_chunk)
        return published_as_one(layout, scope, build)


def _build_batch(
    layout: Layout, batch_key: str, select: Iterable[str] | None, previews: bool, items_a_chunk: int
) -> list[ModelReport]:
    client = layout.client_of(batch_key)
    project = project_of(layout)
    chosen = {model.name for model in project.choose(select, partitioned=True)}
    needed = {below.name for name in chosen for below in project.below(project.models[name])}
    connection = connect(layout)
    reports = []
    try:
        attach(connection, project, layout, client_slug=client, batch_key=batch_key, models=())
        batch = partial(Chunked, connection, project, layout, client, batch_key)
        for model in project.models.values():
            if not model.partitioned:
                continue
            target = layout.model(model.name, client, batch_key)
            if model.name in chosen or (model.materialized == "table" and not target.exists() and model.name in needed):
                ranged = batch(ranges_of(connection, model, items_a_chunk)) if model.per_item else None
                report = _build(connection, model, target, ranged, previews)
                reports += [report] if model.name in chosen else []
                give_memory_back(connection)
            else:
                attach_model(connection, model, layout, client_slug=client, batch_key=batch_key)
    finally:
        connection.close()
    return reports


def build_analytics(
    settings: Settings, select: Iterable[str] | None = None, *, previews: bool = False
) -> list[ModelReport]:
    """Build the models over all batches (those named in `select`, default all), in dependency order."""
    build = partial(_build_analytics, settings, select, previews)
    return published_as_one(Layout.of(settings), EVERYTHING, build)


def _build_analytics(settings: Settings, select: Iterable[str] | None, previews: bool) -> list[ModelReport]:
    layout = brought(settings)  # each time it is done anew: who was faster has read batches that are not here yet
    project = project_of(layout)
    connection = connect(layout)
    try:
        chosen = project.choose(select, partitioned=False)
        attach(connection, project.needed_for(name for model in chosen for name in model.deps), layout)
        reports = [_build(connection, model, layout.analytics(model.name), None, previews) for model in chosen]
        compact(layout, project, connection)
        return reports
    finally:
        connection.close()


def _build(
    connection: duckdb.DuckDBPyConnection, model: Model, target: Path, batch: Chunked | None, previews: bool
) -> ModelReport:
    """Build one model: in parts when `batch` is given and large, else in one go."""
    started = time.perf_counter()
    is_view = model.materialized == "view"
    try:
        _check_columns(connection, model)
        if is_view:
            connection.execute(f'create or replace view "{model.name}" as {model.sql}')
            rows, preview, filled = _look(connection, model, batch, previews)
        else:
            with put_in_place(target) as unfinished:
                rows = _write(connection, model, unfinished, batch)
            create_view(connection, model.name, model.columns, [target])
            preview = masked_preview(connection, model) if previews else []
            filled = filled_columns(connection, model, target) if previews else None
    except duckdb.IOException as error:
        raise InfrastructureError(
            f"The model {model.name} cannot be written: {error}", code="model.not_writable"
        ) from error
    path = None if is_view else target
    return ModelReport(model.name, rows, time.perf_counter() - started, path, model.columns, preview, filled)


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


# crash point: model-is-written
def _write(connection: duckdb.DuckDBPyConnection, model: Model, path: Path, batch: Chunked | None) -> int:
    if batch is None or len(batch.ranges) == 1:
        return write_query(connection, model.sql, path)
    return write_parts(connection, model.sql, _parts(model, batch), path)


def _count(connection: duckdb.DuckDBPyConnection, model: Model) -> int:
    return int(connection.execute(f'select count(*) from "{model.name}"').fetchall()[0][0])


def _check_columns(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    """The SQL has to give exactly the columns and types that `schema.yml` promises to everyone downstream."""
    try:
        given = [(row[0], row[1]) for row in connection.execute(f"describe {model.sql}").fetchall()]
    except duckdb.Error as error:
        raise ConfigurationError(f"The SQL of {model.name} does not run: {error}", code="model.sql_fails") from error
    promised = [(c.name, _full_name(c.type)) for c in model.columns]
    if given != promised:
        wrong = [f"{n} {t}" for n, t in given if (n, t) not in promised]
        missing = [f"{n} {t}" for n, t in promised if (n, t) not in given]
        raise ConfigurationError(
            f"{model.name} and its schema.yml disagree. In the SQL only: {', '.join(wrong) or 'nothing'}; "
            f"in schema.yml only: {', '.join(missing) or 'nothing'}; the order has to be the same too.",
            code="model.columns_disagree",
        )


def _full_name(type_name: str) -> str:
    return "TIMESTAMP WITH TIME ZONE" if type_name == "TIMESTAMPTZ" else type_name
