"""A few rows of a model for people who look at an asset, without what tells of a person.

Columns that `schema.yml` marks with `meta: {personal: true}` are masked inside the query, so that what they hold never
reaches Python, Dagster's storage or a log. Which columns those are is declared, not guessed: see docs/models.md.
"""

from __future__ import annotations

import duckdb

from enrichment_assets.warehouse.project import Column, Model

PREVIEW_ROWS = 5
_SHOWN_CHARACTERS = 200


def masked_preview(connection: duckdb.DuckDBPyConnection, model: Model) -> list[dict[str, str | None]]:
    """The first rows of a model, every value as text cut to 200 characters, personal ones masked."""
    shown = ", ".join(f'{_shown(column)} as "{column.name}"' for column in model.columns)
    rows = connection.execute(f'select {shown} from (from "{model.name}" limit {PREVIEW_ROWS})').fetchall()
    return [dict(zip((c.name for c in model.columns), row, strict=True)) for row in rows]


def _shown(column: Column) -> str:
    """A value as it is shown: `a***@domain` of a personal address, `***` of any other personal value."""
    text = f'cast("{column.name}" as varchar)'
    if not column.personal:
        return f"left({text}, {_SHOWN_CHARACTERS})"
    address = rf"regexp_full_match({text}, '[^@\s]{{2,}}@[^@\s]+')"
    domain = f"'@' || left(split_part({text}, '@', 2), {_SHOWN_CHARACTERS})"
    return f"case when {address} then left({text}, 1) || '***' || {domain} when {text} is not null then '***' end"
