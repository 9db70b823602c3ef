"""What may be said of an exception to everybody: which one, and where in the database, but none of its text.

Postgres quotes the failing row in its messages, DuckDB the cell that it could not convert.
"""

from __future__ import annotations

import psycopg


def described(error: BaseException) -> str:
    """The exception's class; of a database's error also its SQLSTATE and the table, column and constraint it names."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    named = {"SQLSTATE": getattr(error, "sqlstate", None)}  # psycopg and ADBC both have it
    if isinstance(error, psycopg.Error):
        diagnosis = error.diag
        named |= {
            "table": diagnosis.table_name,
            "column": diagnosis.column_name,
            "constraint": diagnosis.constraint_name,
        }
    details = ", ".join(f"{what} {which}" for what, which in named.items() if which)
    return f"{name} ({details})" if details else name
