"""From results to tables: `enrichment_results`, the SQL models of a batch, their publication, and the analytics.

The models are specs of one subsettable multi-asset, because the models of a batch run in one DuckDB session. Every test
of a `schema.yml` is an asset check; one of severity `error` blocks what is downstream.
"""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from enrichment_assets.assets.failures import values_withheld
from enrichment_assets.assets.partitions import OWNERS, batches
from enrichment_assets.assets.uploads import BATCH_ITEMS
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.services.batches import mark_extracted
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse.previews import preview_table
from enrichment_assets.warehouse.project import Column, Model, Project, load_project
from enrichment_assets.warehouse.testspecs import TestSpec

if TYPE_CHECKING:
    from enrichment_assets.warehouse import ModelReport, TestReport

RESULTS = dg.AssetKey("enrichment_results")
PUBLISHED = dg.AssetKey("workspace_tables")


def check_name(reconciliation: str) -> str:
    """The name of a reconciliation as Dagster allows it: `items = leads` is `items_leads`."""
    return re.sub(r"[^A-Za-z0-9]+", "_", reconciliation).strip("_")


def build_results_asset(step_keys: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """`enrichment_results`: what HQ knows about the batch, as Parquet for the models. Downstream of every step."""

    @dg.asset(
        key=RESULTS,
        deps=[BATCH_ITEMS, *step_keys],
        partitions_def=batches,
        group_name="extraction",
        owners=OWNERS,
        kinds={"parquet"},
        description="Items, states, results and calls of the batch as Parquet: the sources of the SQL models.",
    )
    @values_withheld()
    def enrichment_results(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult:
        """Export the batch from HQ to the warehouse in one snapshot."""
        from enrichment_assets.warehouse import publish_batch_sources

        reports = publish_batch_sources(platform.settings(), context.partition_key)
        rows = {report.name: report.rows for report in reports}
        return dg.MaterializeResult(
            metadata={"dagster/row_count": rows.get("enrichment_results", 0), "rows_by_source": rows}
        )

    return enrichment_results


def model_key(name: str) -> dg.AssetKey:
    """The asset of a SQL model."""
    return dg.AssetKey(name)


def _upstream(project: Project, model: Model) -> list[dg.AssetKey]:
    models = [model_key(name) for name in model.refs if name in project.models]
    return [*models, RESULTS] if model.sources and model.partitioned else models


def _spec(project: Project, model: Model) -> dg.AssetSpec:
    metadata: dict[str, Any] = {
        "dagster/column_schema": _schema(model.columns),
        "sql": dg.MetadataValue.md(f"```sql\n{model.path.read_text(encoding='utf-8')}\n```"),
    }
    return dg.AssetSpec(
        key=model_key(model.name),
        deps=_upstream(project, model),
        partitions_def=batches if model.partitioned else None,
        group_name=_group(model),
        owners=OWNERS,
        kinds={"duckdb", "sql"},
        description=model.description,
        metadata=metadata,
    )


def _group(model: Model) -> str:
    if not model.partitioned:
        return "analytics"
    return "marts" if model.layer == "marts" else "extraction"


def _schema(columns: Sequence[Column]) -> dg.TableSchema:
    return dg.TableSchema(columns=[dg.TableColumn(c.name, c.type, description=c.description) for c in columns])


def _lineage(project: Project, name: str) -> dg.TableColumnLineage | None:
    """Column lineage of a model, worked out when it is built: at load time it would cost every process a second."""
    known = {model: model_key(model) for model in project.models}
    deps_by_column = {
        column: [
            dg.TableColumnDep(known.get(table, RESULTS), origin if table in known else f"{table}.{origin}")
            for table, origin in origins
        ]
        for column, origins in project.model(name).column_lineage.items()
        if origins
    }
    return dg.TableColumnLineage(deps_by_column=deps_by_column) if deps_by_column else None


def _check_spec(test: TestSpec) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        test.name,
        asset=model_key(test.model),
        blocking=test.severity == "error",
        description=test.description or None,
    )


def build_model_assets() -> list[dg.AssetsDefinition]:
    """The SQL models of a batch, the publication of its marts, and the models over all batches."""
    project = load_project()
    return [_batch_models(project), _publication(project), _analytics(project)]


def _batch_models(project: Project) -> dg.AssetsDefinition:
    models = [m for m in project.models.values() if m.partitioned]

    @dg.multi_asset(
        name="sql_models",
        specs=[_spec(project, m) for m in models],
        check_specs=[_check_spec(test) for m in models for test in m.tests],
        partitions_def=batches,
        can_subset=True,
    )
    def sql_models(context: dg.AssetExecutionContext, platform: PlatformResource) -> Iterator[dg.MaterializeResult]:
        """Build the selected models of the batch in one DuckDB session, then test each."""
        from enrichment_assets.warehouse import build_models

        settings, batch_key = platform.settings(), context.partition_key
        selected = [m.name for m in models if model_key(m.name) in context.selected_asset_keys]
        with values_withheld():
            reports = build_models(settings, batch_key, selected, previews=True)
            yield from _tested(context, project, settings, batch_key, reports)

    return sql_models


def _tested(
    context: dg.AssetExecutionContext,
    project: Project,
    settings: Settings,
    batch_key: str | None,
    reports: "Sequence[ModelReport]",
) -> Iterator[dg.MaterializeResult]:
    """Test each model that was built, and report it with those results that the run asked for."""
    from enrichment_assets.warehouse import run_tests

    wanted = context.selected_asset_check_keys
    for report in reports:
        key = model_key(report.name)
        yield dg.MaterializeResult(
            asset_key=key,
            metadata=_metadata(report, _lineage(project, report.name)),
            check_results=[
                _check_result(report.name, result)
                for result in run_tests(settings, batch_key, report.name)
                if dg.AssetCheckKey(key, result.name) in wanted
            ],
        )


def _check_result(model: str, result: "TestReport") -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=model_key(model),
        check_name=result.name,
        passed=result.passed,
        severity=dg.AssetCheckSeverity.ERROR if result.severity == "error" else dg.AssetCheckSeverity.WARN,
        description=result.message or None,
        metadata={"failing_rows": result.failures},
    )


def _metadata(report: "ModelReport", lineage: dg.TableColumnLineage | None) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "dagster/row_count": report.rows,
        "seconds": round(report.seconds, 3),
        "preview": dg.MetadataValue.md(preview_table(report.preview, report.columns, report.rows)),
    }
    if lineage is not None:
        metadata["dagster/column_lineage"] = lineage
    if report.path is not None:
        metadata["path"] = dg.MetadataValue.path(str(report.path))
    return metadata


def reconciliation_names(published: Sequence[Model]) -> list[str]:
    """What `warehouse.reconcile` compares, by the names it gives."""
    counted = ["rows + children = items", "items = leads"]
    counted += [f"{kind} entries = rows + exclusions" for kind in ("history", "education")]
    return [*counted, *(f"published {m.name}" for m in published)]


def _publication(project: Project) -> dg.AssetsDefinition:
    published = [m for m in project.models.values() if m.published and m.partitioned]

    @dg.asset(
        key=PUBLISHED,
        deps=[model_key(m.name) for m in published],
        partitions_def=batches,
        group_name="marts",
        owners=OWNERS,
        kinds={"postgres"},
        description=(
            "The marts of the batch in the workspace database ("
            + ", ".join(m.name for m in published)
            + "), replaced in one transaction."
        ),
        check_specs=[dg.AssetCheckSpec(check_name(name), asset=PUBLISHED) for name in reconciliation_names(published)],
    )
    @values_withheld()
    def workspace_tables(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult:
        """Publish, reconcile, and note that the batch is extracted."""
        from enrichment_assets.warehouse import publish_marts, reconcile

        settings, batch_key = platform.settings(), context.partition_key
        rows = {report.name: report.rows for report in publish_marts(settings, batch_key)}
        checks = [
            dg.AssetCheckResult(
                check_name=check_name(check.name),
                passed=check.passed,
                metadata={"expected": check.expected, "actual": check.actual},
            )
            for check in reconcile(settings, batch_key)
        ]
        mark_extracted(settings, batch_key)
        return dg.MaterializeResult(
            metadata={"dagster/row_count": sum(rows.values()), "rows_by_table": rows}, check_results=checks
        )

    return workspace_tables


def _analytics(project: Project) -> dg.AssetsDefinition:
    models = [m for m in project.models.values() if not m.partitioned]

    @dg.multi_asset(
        name="analytics_models",
        specs=[_spec(project, m) for m in models],
        check_specs=[_check_spec(test) for m in models for test in m.tests],
        can_subset=True,
    )
    def analytics_models(
        context: dg.AssetExecutionContext, platform: PlatformResource
    ) -> Iterator[dg.MaterializeResult]:
        """Build the selected models over all batches, test each, and publish the organisations."""
        from enrichment_assets.warehouse import build_analytics, publish_organisations

        settings = platform.settings()
        selected = [m.name for m in models if model_key(m.name) in context.selected_asset_keys]
        with values_withheld():
            reports = build_analytics(settings, selected, previews=True)
            if any(m.published for m in models if m.name in selected):
                publish_organisations(settings)
            yield from _tested(context, project, settings, None, reports)

    return analytics_models
