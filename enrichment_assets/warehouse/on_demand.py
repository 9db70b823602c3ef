"""Models over all batches that are built when somebody wants them (`meta: {on_demand: true}`): golden records.

The analytics job builds them, and whoever asks for them; a run of one batch does not. Where nothing has come since they
were built, they are left as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from pathlib import Path

import duckdb

from enrichment_assets.settings import Settings
from enrichment_assets.warehouse.copies import brought
from enrichment_assets.warehouse.files import Layout
from enrichment_assets.warehouse.lead_columns import project_of
from enrichment_assets.warehouse.project import Model, Project
from enrichment_assets.warehouse.questions import tables_named


def ensure_built(settings: Settings, question: str | None = None) -> list[str]:
    """Build what of these models is out of date; the names of those that were built.

    `question`: SQL; where it names none of them nothing is looked at, and nothing loaded.
    """
    project = project_of(Layout.of(settings))  # as questions read it: which columns leads have changes nothing here
    names = [model.name for model in project.models.values() if model.on_demand]
    asked = {m.name for m in project.models.values() if m.on_demand or not set(m.refs).isdisjoint(names)}
    if question is not None and not _names_one(question, asked, project):
        return []
    layout = brought(settings)
    old = [name for name in names if not is_current(layout, project, project.models[name])]
    if old:
        from enrichment_assets.warehouse.building import build_analytics  # most questions build nothing

        build_analytics(settings, old)
    return old


def _names_one(question: str, names: Set[str], project: Project) -> bool:
    """Whether a question asks one of these models; a word of the same letters is not parsed for nothing."""
    if not any(name in question.lower() for name in names):
        return False
    with duckdb.connect() as connection:
        known = {*project.models, *project.seeds, *(f"hq.{source}" for source in project.sources)}
        named = tables_named(connection, question, known)
    return named is None or not named.isdisjoint(names)


def is_current(layout: Layout, project: Project, model: Model) -> bool:
    """Whether a model's file is younger than all that it is made of, files that were taken away included."""
    try:
        built = layout.analytics(model.name).stat().st_mtime_ns
    except FileNotFoundError:
        return False
    return all(changed < built for changed in _changes(layout, project, model))


def _changes(layout: Layout, project: Project, model: Model) -> Iterator[int]:
    """When each file below a model was written, and each folder of them had one put in or taken away."""
    below = [model, *project.below(model)]
    for source in {name for one in below for name in one.sources}:
        yield from _written(layout.root / "sources" / source)
    for one in below[1:]:
        if one.materialized == "table":
            yield from _written(layout.root / ("models" if one.partitioned else "analytics") / one.name)


def _written(folder: Path) -> Iterator[int]:
    for path in (folder, *folder.glob("*"), *folder.glob("*/*.parquet")):
        yield path.stat().st_mtime_ns
