"""A family: a row of the upload with all of its children, whose tables are written together once all of it has ended.

A course and its staff, a company and its people: a half of one in a table is worse than none. A pipeline says under
`families` which tables get a row for each root and for each child, and what makes a family fail (docs/families.md).
Everything is data: expressions are JMESPath over one document for each item, see `DOCUMENT`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from enrichment_assets.domain.destination import MappedColumns
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.expression_trees import negates_half, paths_in
from enrichment_assets.domain.expressions import Expression
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.parts import Identifier, Part
from enrichment_assets.domain.suggestions import did_you_mean, instead

BUILT_IN = ("client_slug", "batch_key", "item_id", "workflow_slug", "fetched_at")
"""Columns that a table has which the platform makes; `workflow_slug` is the pipeline's, `fetched_at` when it ended."""

DOCUMENT = ("item", "fields", "original", "steps", "root", "family", "batch")
"""What the expressions of a table see: of the item its identity, its merged fields, its uploaded or emitted object and
workflow slug -> `found`, `not_found` or the state that it is in; of its `root` the same four; the family; the batch."""

ITEM = ("id", "row_number", "parent_id", "company_key", "key")
"""Members of `item` beside its cells. `key` are 32 hexadecimal digits of what it is known by: a root by its company, a
child by what its emitter names it by, at its root. They are the same in every batch that says the same of it."""

FAMILY = ("status", "reason", "cost", "currency", "seconds", "children")
"""Members of `family`; `cost` and `currency` are null where its steps are paid in several currencies."""

BATCH = ("key", "client", "pipeline")

Reason = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]


class FamilyStatus(StrEnum):
    """How a family ended; stored in `item_families`.

    `stopped`: a person, a budget or a suppression ended it before it was done, and nothing of it is written.
    """

    ENRICHED = "enriched"
    FAILED = "failed"
    STOPPED = "stopped"


class FamilyTable(Part):
    """One table, and the rows that a family has in it.

    With `create` it is the platform's: it is made, has the columns of `BUILT_IN` too, and its key is each client's
    own. Without, it is the user's: it has what columns they gave it, its rows are found by `key` alone, and what is not
    known leaves a value of theirs as it is.
    """

    table: Identifier
    rows: Literal["root", "children"] = "root"
    create: bool = False
    key: list[Identifier] = Field(min_length=1)
    columns: MappedColumns = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> FamilyTable:
        if taken := [name for name in self.columns if name in BUILT_IN]:
            raise ValueError(f"columns.{taken[0]}: every table of the platform's has that column by itself")
        known = [*self.columns, *BUILT_IN]
        if unknown := [name for name in self.key if name not in known]:
            raise ValueError(f"key: {instead(unknown[0], known)}")
        return self


class Failing(Part):
    """What makes a family fail: a condition over its root's document, and the reason that is told."""

    when: str
    reason: Reason


class Families(Part):
    """What of a pipeline's families is written, and where.

    Attributes:
        of: `row`: each row of the upload is the root of a family; `company`: the rows of one company are one, for they
            share its answers and its children.
        failed_if: The first whose condition is true-ish is why the family has failed; a step that FAILED comes before.
        tables: Written in one transaction for each family.
    """

    of: Literal["row", "company"] = "row"
    failed_if: list[Failing] = Field(default_factory=list, max_length=20)
    tables: list[FamilyTable] = Field(min_length=1, max_length=20)

    @model_validator(mode="after")
    def _whole(self) -> Families:
        names = [table.table for table in self.tables]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"tables: {twice[0]} stands there twice")
        for place, expression in self.expressions():
            try:
                Expression(expression, place)
            except ConfigurationError as error:
                raise ValueError(str(error)) from None
        return self

    def expressions(self) -> Iterator[tuple[str, str]]:
        """Each expression with its place in the pipeline's file."""
        for number, failing in enumerate(self.failed_if):
            yield f"families.failed_if[{number}].when", failing.when
        for table in self.tables:
            for name, column in table.columns.items():
                yield f"families.tables.{table.table}.columns.{name}", column.source


def family_faults(families: Families, known: Collection[str]) -> list[str]:
    """Names in the expressions that nothing gives, one sentence each.

    Args:
        families: A pipeline's.
        known: The fields that an item of it can have.
    """
    members = {"fields": known, "item": (*ITEM, *IDENTITY_FIELDS), "family": FAMILY, "batch": BATCH}
    found = []
    for place, text in families.expressions():
        tree = Expression(text, place).tree
        if negates_half(tree):
            found.append(f"{place}: `!a.b` is (!a).b, which is null always: write !(a.b)")
        for path in sorted(paths_in(tree)):
            head, *rest = path[1:] if path[0] == "root" and len(path) > 1 else path
            if head not in DOCUMENT:
                found.append(f"{place}: there is no {head!r} in a family: {instead(head, DOCUMENT)}")
            elif rest and head in members and rest[0] not in members[head]:
                found.append(f"{place}: nothing gives {head}.{rest[0]}{did_you_mean(rest[0], members[head])}")
    return found
