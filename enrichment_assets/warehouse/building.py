"""Runs the SQL models: one batch in one DuckDB session, or the models over all batches.

A `table` model is streamed into a Parquet file that takes its place whole; a `view` model is only checked. Models that
were not asked for are read from their files.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from enrichment_assets.domain.errors import ConfigurationError, InfrastructureError
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse.files import Layout, put_in_place
from enrichment_assets.warehouse.project import Column, Model, load_project
from enrichment_assets.warehouse.session import attach, attach_model, connect, create_view

PREVIEW_ROWS = 5
ROW_GROUP_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What one build of one model made.

    Attributes:
        path: The Parquet file, or None for a view.
        preview: A few rows, values as text cut to 200 characters.
    """

    name: str
    rows: int
    seconds: float
    path: Path | None
    columns: tuple[Column, ...]
    preview: list[dict[str, Any]] = field(default_factory=list)


def build_models(settings: Settings, batch_key: str, select: Iterable[str] | None = None) -> list[ModelReport]:
    """Build the partitioned models of one batch (those named in `select`, default all), in dependency order.

    A model that a selected one reads and that was never built for this batch is built too, without a report.

    Raises:
        NotFoundError: A model does not exist, or nothing was published for the batch.
        ConfigurationError: A model's SQL and its `schema.yml` disagree.
    """
    layout = Layout.of(settings)
    client = layout.client_of(batch_key)
    project = load_project()
    chosen = {model.name for model in project.choose(select, partitioned=True)}
    connection = connect(layout)
    reports = []
    try:
        attach(connection, project, layout, client_slug=client, batch_key=batch_key, models=())
        for model in project.models.values():
            if not model.partitioned:
                continue
            target = layout.model(model.name, client, batch_key)
            if model.name in chosen or (
                model.materialized == "table" and not target.exists() and _needed(model, chosen)
            ):
                report = _build(connection, model, target)
                reports += [report] if model.name in chosen else []
            else:
                attach_model(connection, model, layout, client_slug=client, batch_key=batch_key)
    finally:
        connection.close()
    return reports


def build_analytics(settings: Settings, select: Iterable[str] | None = None) -> list[ModelReport]:
    """Build the models over all batches (those named in `select`, default all), in dependency order."""
    layout = Layout.of(settings)
    project = load_project()
    connection = connect(layout)
    try:
        attach(connection, project, layout, models=[m.name for m in project.models.values()])
        return [
            _build(connection, model, layout.analytics(model.name))
            for model in project.choose(select, partitioned=False)
        ]
    finally:
        connection.close()


def _needed(model: Model, chosen: set[str]) -> bool:
    """True when a chosen model reads this one, at any distance."""
    models = load_project().models
    waiting, seen = list(chosen), set[str]()
    while waiting:
        for name in models[waiting.pop()].refs:
            if name == model.name:
                return True
            if name in models and name not in seen:
                seen.add(name)
                waiting.append(name)
    return False


def _build(connection: duckdb.DuckDBPyConnection, model: Model, target: Path) -> ModelReport:
    started = time.perf_counter()
    try:
        _check_columns(connection, model)
        if model.materialized == "view":
            connection.execute(f'create or replace view "{model.name}" as {model.sql}')
            path = None
        else:
            path = target
            with put_in_place(target) as unfinished:
                _copy(connection, model, unfinished)
            create_view(connection, model.name, model.columns, [target])
        rows = connection.execute(f'select count(*) from "{model.name}"').fetchall()[0][0]
        preview = _preview(connection, model)
    except duckdb.IOException as error:
        raise InfrastructureError(f"The model {model.name} cannot be written: {error}") from error
    return ModelReport(model.name, rows, time.perf_counter() - started, path, model.columns, preview)


def _copy(connection: duckdb.DuckDBPyConnection, model: Model, path: Path) -> None:
    quoted = str(path).replace("'", "''")
    connection.execute(
        f"copy ({model.sql}) to '{quoted}' "
        f"(format parquet, compression zstd, compression_level 1, row_group_size {ROW_GROUP_ROWS})"
    )


def _check_columns(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    """The SQL has to give exactly the columns and types that `schema.yml` promises to everyone downstream."""
    try:
        given = [(row[0], row[1]) for row in connection.execute(f"describe {model.sql}").fetchall()]
    except duckdb.Error as error:
        raise ConfigurationError(f"The SQL of {model.name} does not run: {error}") from error
    promised = [(c.name, _full_name(c.type)) for c in model.columns]
    if given != promised:
        wrong = [f"{n} {t}" for n, t in given if (n, t) not in promised]
        missing = [f"{n} {t}" for n, t in promised if (n, t) not in given]
        raise ConfigurationError(
            f"{model.name} and its schema.yml disagree. In the SQL only: {', '.join(wrong) or 'nothing'}; "
            f"in schema.yml only: {', '.join(missing) or 'nothing'}; the order has to be the same too."
        )


def _full_name(type_name: str) -> str:
    return "TIMESTAMP WITH TIME ZONE" if type_name == "TIMESTAMPTZ" else type_name


def _preview(connection: duckdb.DuckDBPyConnection, model: Model) -> list[dict[str, Any]]:
    shown = ", ".join(f'left(cast("{c.name}" as varchar), 200) as "{c.name}"' for c in model.columns)
    rows = connection.execute(f'select {shown} from "{model.name}" limit {PREVIEW_ROWS}').fetchall()
    return [dict(zip((c.name for c in model.columns), row, strict=True)) for row in rows]
