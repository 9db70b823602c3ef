"""The warehouse: Parquet partitions, the SQL models over them, and the marts in the workspace database.

What belongs here: running `dbt_like_sql/` in DuckDB, files, publishing, tests, lineage, and opening it all for reading.
What does not: Dagster (see `assets/`), and SQL against HQ (see `store/extraction.py`).
"""

from enrichment_assets.warehouse.building import ModelReport, build_analytics, build_models
from enrichment_assets.warehouse.project import Column, Model, Project, load_project
from enrichment_assets.warehouse.publishing import PublishReport, publish_marts, publish_organisations
from enrichment_assets.warehouse.reading import open_warehouse
from enrichment_assets.warehouse.sources import SourceReport, publish_batch_sources
from enrichment_assets.warehouse.testing import Reconciliation, TestReport, reconcile, run_tests

__all__ = [
    "Column",
    "Model",
    "ModelReport",
    "Project",
    "PublishReport",
    "Reconciliation",
    "SourceReport",
    "TestReport",
    "build_analytics",
    "build_models",
    "load_project",
    "open_warehouse",
    "publish_batch_sources",
    "publish_marts",
    "publish_organisations",
    "reconcile",
    "run_tests",
]
