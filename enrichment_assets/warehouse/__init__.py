"""The warehouse: Parquet partitions, the SQL models over them, and the marts in the workspace database.

What belongs here: running `dbt_like_sql/` in DuckDB, files, publishing, tests, lineage, and opening it all for reading.
What does not: Dagster (see `assets/`), and SQL against HQ (see `store/results/extraction.py`).

Public names are imported when first asked for: the code location has to load without DuckDB, Arrow and pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from enrichment_assets.warehouse.batch_session import BatchSession, open_session
    from enrichment_assets.warehouse.building import ModelReport, build_analytics, build_in, build_models
    from enrichment_assets.warehouse.lead_columns import project_of
    from enrichment_assets.warehouse.on_demand import ensure_built
    from enrichment_assets.warehouse.project import Column, Model, Project, load_project
    from enrichment_assets.warehouse.publishing import (
        PublishReport,
        publish_marts,
        publish_marts_in,
        publish_organisations,
        withdraw_marts,
    )
    from enrichment_assets.warehouse.reading import open_warehouse
    from enrichment_assets.warehouse.sources import SourceReport, publish_batch_sources
    from enrichment_assets.warehouse.testing import (
        Reconciliation,
        TestReport,
        reconcile,
        reconcile_in,
        run_tests,
        run_tests_in,
    )

__all__ = [
    "BatchSession",
    "Column",
    "Model",
    "ModelReport",
    "Project",
    "PublishReport",
    "Reconciliation",
    "SourceReport",
    "TestReport",
    "build_analytics",
    "build_in",
    "build_models",
    "ensure_built",
    "load_project",
    "open_session",
    "open_warehouse",
    "project_of",
    "publish_batch_sources",
    "publish_marts",
    "publish_marts_in",
    "publish_organisations",
    "reconcile",
    "reconcile_in",
    "run_tests",
    "run_tests_in",
    "withdraw_marts",
]

_HOMES = {
    "batch_session": ("BatchSession", "open_session"),
    "building": ("ModelReport", "build_analytics", "build_in", "build_models"),
    "lead_columns": ("project_of",),
    "on_demand": ("ensure_built",),
    "project": ("Column", "Model", "Project", "load_project"),
    "publishing": ("PublishReport", "publish_marts", "publish_marts_in", "publish_organisations", "withdraw_marts"),
    "reading": ("open_warehouse",),
    "sources": ("SourceReport", "publish_batch_sources"),
    "testing": ("Reconciliation", "TestReport", "reconcile", "reconcile_in", "run_tests", "run_tests_in"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name from its module."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
