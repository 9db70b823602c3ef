"""Opens the warehouse for reading: one DuckDB connection with a view for every model and source.

from enrichment_assets.warehouse import open_warehouse
open_warehouse().sql("select * from person_work_history where is_current").df()
"""

from __future__ import annotations

import warnings
from pathlib import Path

import duckdb

from enrichment_assets.home import prepare_home
from enrichment_assets.settings import Settings, is_remote
from enrichment_assets.warehouse.compaction import FOLDER as COMPACTED
from enrichment_assets.warehouse.copies import brought
from enrichment_assets.warehouse.files import RAW_UPLOAD_KEYS, RAW_UPLOADS, Layout, quoted
from enrichment_assets.warehouse.functions import SQL_FUNCTIONS, add_functions
from enrichment_assets.warehouse.lead_columns import project_of
from enrichment_assets.warehouse.project import Project
from enrichment_assets.warehouse.questions import tables_named
from enrichment_assets.warehouse.session import attach, connect

READ_MEMORY = "4GB"

LEADS = "leads"
_LEADS_FROM = ("final_leads", "hq.batches")
_ONE_PER_ROW = """
    with recursive rows_of_files as (
        select l.batch_key, l.item_id, row_number() over (
            partition by l.client_slug, b.upload_sha256, l.row_number
            order by l.is_finished desc, b.launched_at desc, l.batch_key, l.item_id
        ) as place
        from final_leads as l
        inner join hq.batches as b on b.client_slug = l.client_slug and b.batch_key = l.batch_key
        where l.parent_item_id is null and b.archived_at is null
    ),

    chosen as (
        select batch_key, item_id from rows_of_files where place = 1
        union all
        select c.batch_key, c.item_id
        from (select batch_key, item_id, parent_item_id from final_leads where parent_item_id is not null) as c
        inner join chosen as p on p.batch_key = c.batch_key and p.item_id = c.parent_item_id
    )

    select * from final_leads where (batch_key, item_id) in (select batch_key, item_id from chosen)"""
"""Rows of `final_leads`, each row of a file once: a file that went through three batches has its people three times
there. Of several batches the newest counts in which the row is finished; archived batches do not, unless asked for."""


def open_warehouse(
    settings: Settings | None = None,
    *,
    client_slug: str | None = None,
    batch_key: str | None = None,
    locked: bool = False,
    question: str | None = None,
) -> duckdb.DuckDBPyConnection:
    """A connection whose views show everything extracted so far, of all clients or of one.

    The sources are in the schema `hq`, the models, `raw_apollo_uploads` and `leads` (`final_leads` with each row of a
    file once, however many batches it went through) in the default one. Readers never block a
    run, nor a run them: the files are replaced whole.

    Args:
        settings: Default: from the environment, with a warning where nothing was extracted in that home.
        client_slug: Show this client's rows only.
        batch_key: Show this batch only (of `client_slug`, which has to be given too).
        locked: For SQL that somebody else wrote: files outside the warehouse (with `client_slug`, outside that
            client's files) cannot be reached, and no statement can undo that. What can be reached could still be
            written by COPY: let only SELECT statements through (`services.insight.queries` does).
        question: Show only the tables that this SQL names, where that can be told: with many batches, looking for the
            files of all others takes longer than most answers.
    """
    if settings is None:
        settings = Settings.from_environment()
        _warn_of_empty_home(settings)
    layout = brought(settings, client_slug=client_slug, batch_key=batch_key)
    project = project_of(layout)
    connection = connect(layout, memory=READ_MEMORY, for_questions=True, functions=False)
    named = None if question is None else tables_named(connection, question, _tables_of(project))
    if named is not None:
        project = project.needed_for((named | set(_LEADS_FROM) if LEADS in named else named) - {LEADS, RAW_UPLOADS})
    if named is None or _calls_functions(question or "", project):
        add_functions(connection)
    attach(connection, project, layout, client_slug=client_slug, batch_key=batch_key)
    if named is None or RAW_UPLOADS in named:
        _attach_raw_uploads(connection, layout, client_slug, batch_key)
    if named is None or LEADS in named:
        connection.execute(f'create or replace view "{LEADS}" as {_ONE_PER_ROW}')
    if client_slug is not None:
        _keep_one_client(connection, project, client_slug)
    if locked:
        _lock(connection, layout, project, client_slug)
    return connection


def _tables_of(project: Project) -> set[str]:
    """Everything that a question may name."""
    return {LEADS, RAW_UPLOADS, *project.models, *project.seeds, *(f"hq.{source}" for source in project.sources)}


def _calls_functions(question: str, project: Project) -> bool:
    """Whether a question, or a view that it needs, may call one of our functions: to add them, DuckDB imports numpy."""
    sql = [question.lower(), *(model.sql for model in project.models.values() if model.materialized == "view")]
    return any(name in text for text in sql for name in SQL_FUNCTIONS)


def _warn_of_empty_home(settings: Settings) -> None:
    """Tell who asked for no home in particular (a notebook) that the one that was found has nothing to show."""
    if not settings.home.exists():
        said = "there was no home here or in a folder above: this one was made"
    elif is_remote(settings.warehouse) or any(settings.warehouse_dir.glob("sources/*/*/*.parquet")):
        return
    else:
        said = "nothing was extracted into this home yet"
    prepare_home(settings.home)
    warnings.warn(f"{settings.home}: {said}. ENRICH_HOME names another home", stacklevel=3)


def _attach_raw_uploads(
    connection: duckdb.DuckDBPyConnection, layout: Layout, client_slug: str | None, batch_key: str | None
) -> None:
    """`raw_apollo_uploads`: the uploaded rows, whose columns are whatever the uploads had (null where one had none)."""
    files = layout.all_of("sources", RAW_UPLOADS, client_slug)
    if batch_key is not None:
        files = [path for path in files if path.stem == batch_key]
    if files:
        listed = ", ".join(map(quoted, files))
        scan = f"select * from read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
    else:
        columns = ", ".join(f'cast(null as {kind}) as "{name}"' for name, kind in RAW_UPLOAD_KEYS.items())
        scan = f"select {columns} where false"
    connection.execute(f'create or replace view "{RAW_UPLOADS}" as {scan}')


def _keep_one_client(connection: duckdb.DuckDBPyConnection, project: Project, client_slug: str) -> None:
    """Models over all batches share a file: one client's rows of it are copied, and the file is out of reach."""
    for model in project.models.values():
        if model.partitioned or model.materialized == "view":
            continue
        mine = f"client_slug = {quoted(client_slug)}"
        connection.execute(f'create table one_client as select * from "{model.name}" where {mine}')
        connection.execute(f'drop view "{model.name}"')
        connection.execute(f'alter table one_client rename to "{model.name}"')


def _lock(connection: duckdb.DuckDBPyConnection, layout: Layout, project: Project, client_slug: str | None) -> None:
    """Put everything out of reach that is not to be read, for good.

    Of one client the files that there are may be opened, by name: in a folder that may be reached, DuckDB's profiler
    and log write files of their own.
    """
    if client_slug is None:
        folders = [layout.root / room for room in ("sources", "models", "analytics", COMPACTED)]
        listed = ", ".join(quoted(f"{folder}/") for folder in folders)
        connection.execute(f"set allowed_directories = [{listed}]")
    else:
        listed = ", ".join(quoted(path) for path in _files_of(layout, project, client_slug))
        connection.execute(f"set allowed_paths = [{listed}]")
    connection.execute("set python_enable_replacements = false")  # variables of the code that asks are no tables
    connection.execute("set allow_persistent_secrets = false")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def _files_of(layout: Layout, project: Project, client_slug: str) -> list[Path]:
    """The client's own files of these sources and models."""
    kept = [("sources", name) for name in (*project.sources, RAW_UPLOADS)]
    kept += [("models", model.name) for model in project.models.values() if model.partitioned]
    return [
        path
        for room, name in kept
        for room_of in (room, f"{COMPACTED}/{room}")
        for path in layout.all_of(room_of, name, client_slug)
    ]
