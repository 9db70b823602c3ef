"""The tables and views in Postgres that hold published marts: made, and widened, from the models' columns."""

from __future__ import annotations

from psycopg import sql

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.store.database import Connection
from enrichment_assets.warehouse.folding import conversion, creation, folded, readers_of, refuse_views_over, view
from enrichment_assets.warehouse.project import Model
from enrichment_assets.warehouse.published_parts import TABLE

POSTGRES_TYPES = {
    "VARCHAR": "text",
    "BIGINT": "bigint",
    "INTEGER": "integer",
    "BOOLEAN": "boolean",
    "DOUBLE": "double precision",
    "DATE": "date",
    "TIMESTAMPTZ": "timestamptz",
    "DECIMAL(18,6)": "numeric(18,6)",
}


def ensure(workspace: Connection, model: Model) -> None:
    """Make what holds a mart's rows; fold those of a table that an earlier version published as it was."""
    fold = folded(model)
    if fold is None:
        _table(workspace, model)
        return
    kind = kind_of(workspace, model.name)
    shown = list(_columns_of(workspace, model.name)) if kind == "v" else []
    if shown and {column.name for column in model.columns} <= set(shown):
        return
    if kind == "r":
        refuse_views_over(workspace, model.name)
        _table(workspace, model)
    readers = readers_of(workspace, model.name) if kind == "r" else []
    made = creation(fold, POSTGRES_TYPES)
    for statement in (*made, *(conversion(fold) if kind == "r" else ()), view(fold, shown)):
        workspace.execute(statement)
    if shown:  # what is there has nothing in the new columns: it is written again
        workspace.execute(f"delete from {TABLE} where model = %s", [model.name])
    for role in readers:
        workspace.execute(sql.SQL("grant select on {} to {}").format(sql.Identifier(model.name), role))


def kind_of(workspace: Connection, name: str) -> str | None:
    """What a name is: `r` a table, `v` a view; None: there is no such relation."""
    found = workspace.execute("select relkind::text as kind from pg_class where oid = to_regclass(%s)", [f'"{name}"'])
    row = found.fetchone()
    return None if row is None else str(row["kind"])


def _columns_of(workspace: Connection, name: str) -> dict[str, str]:
    """Column -> type of a table or view, in its order; nothing where there is none."""
    rows = workspace.execute(
        """select attname as name,
                  replace(format_type(atttypid, atttypmod), 'timestamp with time zone', 'timestamptz') as type
           from pg_attribute
           where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum""",
        [f'"{name}"'],
    )
    return {row["name"]: row["type"] for row in rows}


def _table(workspace: Connection, model: Model) -> None:
    """Create the table, add columns that the model has grown. Cheap when all is there."""
    table = sql.Identifier(model.name)
    columns = [sql.SQL("{} {}").format(sql.Identifier(c.name), sql.SQL(POSTGRES_TYPES[c.type])) for c in model.columns]
    workspace.execute(sql.SQL("create table if not exists {} ({})").format(table, sql.SQL(", ").join(columns)))
    there = _columns_of(workspace, model.name)
    for column, definition in zip(model.columns, columns, strict=True):
        if column.name not in there:  # without a default: no row is written again, and none is as it is to be
            workspace.execute(sql.SQL("alter table {} add column {}").format(table, definition))
            workspace.execute(f"delete from {TABLE} where model = %s", [model.name])
        elif there[column.name] in {*POSTGRES_TYPES.values()} - {kind := POSTGRES_TYPES[column.type]}:
            raise ConfigurationError(
                f"Column `{column.name}` of the published table {model.name} is of type {there[column.name]}, and the "
                f"model's is of type {kind}. Rename the column in the table, and publish again: it is made anew.",
                code="published.column_type",
            )
