"""A large batch is built in ranges of items, so that the memory of a build does not depend on the size of the batch.

What belongs here: which items make a range, and views that show one range only. A model whose rows follow from one item
each says so in its `schema.yml` (`meta: {per_item: true}`); only those are built range by range. One that makes
many rows of an item has smaller ranges (`items_a_chunk`).

Rows of the sources belong to a range by their `item_id`, but for answers: items of one company share one, and an answer
may come from an earlier batch. So a range sees the answers that its own items got and those that its states name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from enrichment_assets.warehouse.files import Layout
from enrichment_assets.warehouse.project import Model, Project, Relation
from enrichment_assets.warehouse.scanning import scan
from enrichment_assets.warehouse.session import attach_model, create_view, files_of, give_memory_back

ITEMS_A_CHUNK = 200_000
"""Items of one range; with five jobs each, a million rows of work history."""

_ANSWERS = "enrichment_results"
_SHARED = "answers_of_others"


@dataclass(frozen=True, slots=True)
class ItemRange:
    """Items of one batch, both ends included."""

    low: int
    high: int

    @property
    def condition(self) -> str:
        """As SQL, over a column `item_id`."""
        return f"item_id between {self.low} and {self.high}"


def item_ranges(connection: duckdb.DuckDBPyConnection, size: int = ITEMS_A_CHUNK) -> list[ItemRange]:
    """The attached batch's items in ranges of at most `size`; a batch without items is one empty range."""
    rows = connection.execute(
        "select min(item_id), max(item_id) from (select item_id, row_number() over (order by item_id) - 1 as place "
        "from hq.batch_items) group by place // ? order by 1",
        [size],
    ).fetchall()
    return [ItemRange(low, high) for low, high in rows] or [ItemRange(0, 0)]


def ranges_of(connection: duckdb.DuckDBPyConnection, model: Model, size: int) -> list[ItemRange]:
    """The ranges of at most `size` items in which a model is built and published."""
    return item_ranges(connection, min(size, int(model.meta.get("items_a_chunk", size))))


@dataclass(frozen=True)
class Chunked:
    """One batch, attached to a connection, shown range by range; views that are `held` as their files are."""

    connection: duckdb.DuckDBPyConnection
    project: Project
    layout: Layout
    client_slug: str
    batch_key: str
    ranges: Sequence[ItemRange]
    held: Mapping[str, Path]

    def each(self, models: Sequence[str]) -> Iterator[ItemRange | None]:
        """Show one range after the other in the sources and in these models; all of it again at the end.

        Yields None, once, where one range is the whole batch.
        """
        if len(self.ranges) == 1:
            yield None
            return
        try:
            for part in self.ranges:
                self._show(part, models)
                yield part
                give_memory_back(self.connection)
        finally:
            self._show(None, models)

    @contextmanager
    def first_items(self, count: int, models: Sequence[str]) -> Iterator[None]:
        """Show only the first `count` items (by id) in the sources and in these models while the block lasts."""
        low = self.ranges[0].low
        try:
            self._show(ItemRange(low, low + count - 1), models)
            yield
        finally:
            self._show(None, models)

    def _show(self, part: ItemRange | None, models: Sequence[str]) -> None:
        where = part.condition if part else None
        for source in self.project.sources.values():
            if source.name != _ANSWERS and any(c.name == "item_id" for c in source.columns):
                create_view(self.connection, f"hq.{source.name}", source.columns, self._files(source.name), where=where)
        self._show_answers(self.project.sources[_ANSWERS], part)
        for name, path in self.held.items():
            create_view(self.connection, name, self.project.models[name].columns, [path], where=where)
        for name in models:
            attach_model(
                self.connection,
                self.project.models[name],
                self.layout,
                client_slug=self.client_slug,
                batch_key=self.batch_key,
                where=where,
            )

    def _show_answers(self, answers: Relation, part: ItemRange | None) -> None:
        """Conditions on `item_id` and `result_id`, because files are skipped through by them, not read."""
        if part is None:
            create_view(self.connection, f"hq.{_ANSWERS}", answers.columns, self._files(_ANSWERS))
            return
        every = scan(answers.columns, self._files(_ANSWERS))
        self.connection.execute(
            f"create or replace temp table {_SHARED} as "
            "select result_id from hq.workflow_states where result_id is not null "
            f"except select result_id from ({every} where {part.condition})"
        )
        query = f"{every} where {part.condition}"
        low, high = self.connection.execute(f"select min(result_id), max(result_id) from {_SHARED}").fetchall()[0]
        if low is not None:
            query += (
                f" union all {every} where ({part.condition}) is not true and result_id between {low} and {high} "
                f"and result_id in (select result_id from {_SHARED})"
            )
        self.connection.execute(f'create or replace view hq."{_ANSWERS}" as {query}')

    def _files(self, source: str) -> list[Path]:
        return files_of(self.layout, "sources", source, self.client_slug, self.batch_key)
