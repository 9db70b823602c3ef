"""Whose a row is. Every table of HQ says it, so that no client can be shown a row of another's (ADR 0041).

With `Table(..., info=OWN)` a row belongs to the client of its column `client_id`; with `info=through("batches",
"batch_id")` to the client of the row of another table that it names; with `info=platform("why")` to no client, and
nobody but the platform sees it. `store/tenancy/policies.py` makes row level security of this;
`tests/tenants/test_declarations.py` finds a table that says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose the rows of a table are.

    Attributes:
        column: The column that names the client, or the row of `parent` that is the client's; None: no client's.
        parent: The table that `column` points to, by its `id`; None: `column` holds the client's own id.
        why: Why the rows are no client's.
    """

    column: str | None
    parent: str | None = None
    why: str = ""


Info = dict[Any, Any]
"""What `Table.info` holds: the declaration below `tenant`."""


def own(column: str) -> Info:
    """Each row is the client's whose id is in this column; where it is null, no client's."""
    return {"tenant": Tenant(column)}


def through(parent: str, column: str) -> Info:
    """Each row is the client's to whom the row of another table belongs, which this column names by its id."""
    return {"tenant": Tenant(column, parent)}


def platform(why: str) -> Info:
    """The rows are no client's, for this reason."""
    return {"tenant": Tenant(None, why=why)}


OWN = own("client_id")


def tenant_of(table: Table) -> Tenant | None:
    """The declaration of a table, if it has one."""
    found = table.info.get("tenant")
    return found if isinstance(found, Tenant) else None
