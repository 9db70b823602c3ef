"""Row level security of the published marts: what of each a client's reader sees."""

from __future__ import annotations

from collections.abc import Iterable

from enrichment_assets.registry.loader import pulled_tables
from enrichment_assets.store.database import Connection
from enrichment_assets.store.results.destinations import destination_tables
from enrichment_assets.store.tenancy.policies import Rows, rows_of_batches, rows_of_slug
from enrichment_assets.store.tenancy.workspace import open_among, protect_results, secure_view_over
from enrichment_assets.warehouse.folding import folded, tables_of
from enrichment_assets.warehouse.project import Model, load_project
from enrichment_assets.warehouse.published_parts import TABLE


def protect_marts(workspace: Connection, models: Iterable[Model]) -> None:
    """Protect the tables of these marts where they are not protected, and let readers at the marts.

    What was published of which batch (`enrich_published_parts`) is the platform's alone.
    """
    tables: dict[str, Rows] = {TABLE: None}
    open_: list[str] = []
    for model in models:
        fold = folded(model)
        if fold is None:
            tables[model.name] = rows_of_slug()
        else:
            tables[fold.items] = rows_of_slug()
            tables[fold.kinds] = rows_of_batches(fold.kinds, fold.items)
            secure_view_over(workspace, model.name, tables_of(model))
        open_ += dict.fromkeys([model.name, *tables_of(model)])
    protect_results(workspace, tables, open_)


def protect_published(workspace: Connection) -> list[str]:
    """Protect marts, destinations and tables of pulls that are there; the tables and views that a reader may be let at.

    Tables of an earlier version are found by what they are: a mart's by its name, a destination's by its columns.
    """
    models = [model for model in load_project().models.values() if model.published]
    protect_marts(workspace, models)
    destinations = [*destination_tables(workspace), *sorted(pulled_tables())]
    protect_results(workspace, {name: rows_of_slug() for name in destinations}, destinations)
    names = [name for model in models for name in (model.name, *tables_of(model))]
    return open_among(workspace, sorted({*names, *destinations}))
