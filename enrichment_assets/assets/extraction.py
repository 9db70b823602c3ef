"""From results to tables: the SQL models of a batch and their publication, and the analytics.

The models are specs of one subsettable multi-asset, because the models of a batch run in one DuckDB session. Every test
of a `schema.yml` is an asset check; one of severity `error` blocks what is downstream.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from enrichment_assets.assets.descriptions import plain
from enrichment_assets.assets.direct import direct_parents
from enrichment_assets.assets.failures import values_withheld
from enrichment_assets.assets.partitions import OWNERS, batches
from enrichment_assets.assets.publication import PUBLISHED, publication_checks, publication_spec, publish
from enrichment_assets.assets.results import RESULTS
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse.previews import preview_table
from enrichment_assets.warehouse.project import Column, Model, Project, load_project
from enrichment_assets.warehouse.testspecs import TestSpec

if TYPE_CHECKING:
    from enrichment_assets.warehouse import ModelReport, TestReport
    from enrichment_assets.warehouse.kept_lineage import Lineage


def model_key(name: str) -> dg.AssetKey:
    """The asset of a SQL model."""
    return dg.AssetKey(name)


def _parents(project: Project) -> dict[dg.AssetKey, list[dg.AssetKey]]:
    """What each model is directly made from: models, and the results where it reads a source."""
    return direct_parents(
        {
            model_key(m.name): [
                *(model_key(name) for name in m.refs if name in project.models),
                *([RESULTS] if m.sources else []),
            ]
            for m in project.models.values()
        }
    )


# opens files of ours: the models'
def _spec(model: Model, parents: Sequence[dg.AssetKey]) -> dg.AssetSpec:
    metadata: dict[str, Any] = {
        "dagster/column_schema": _schema(model.columns),
        "sql": dg.MetadataValue.md(f"```sql\n{model.path.read_text(encoding='utf-8')}\n```"),
    }
    return dg.AssetSpec(
        key=model_key(model.name),
        deps=parents,
        skippable=True,
        partitions_def=batches if model.partitioned else None,
        group_name=_group(model),
        owners=OWNERS,
        kinds={"duckdb", "sql"},
        description=plain(model.description),
        metadata=metadata,
    )


def _group(model: Model) -> str:
    if not model.partitioned:
        return "analytics"
    return "marts" if model.layer == "marts" else "extraction"


def _schema(columns: Sequence[Column]) -> dg.TableSchema:
    return dg.TableSchema(columns=[dg.TableColumn(c.name, c.type, description=plain(c.description)) for c in columns])


def _lineage(project: Project, origins_by_column: "Lineage") -> dg.TableColumnLineage | None:
    """Column lineage of a model as Dagster shows it, when it is built: at load it would cost every process time."""
    known = {model: model_key(model) for model in project.models}
    deps_by_column = {
        column: [
            dg.TableColumnDep(known.get(table, RESULTS), origin if table in known else f"{table}.{origin}")
            for table, origin in origins
        ]
        for column, origins in origins_by_column.items()
        if origins
    }
    return dg.TableColumnLineage(deps_by_column=deps_by_column) if deps_by_column else None


def _check_spec(test: TestSpec) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        test.name,
        asset=model_key(test.model),
        blocking=test.severity == "error",
        description=plain(test.description) or None,
    )


def build_model_assets() -> list[dg.AssetsDefinition]:
    """The SQL models of a batch with the publication of its marts, and the models over all batches."""
    project = load_project()
    return [_batch_models(project), _analytics(project)]


def _batch_models(project: Project) -> dg.AssetsDefinition:
    models = [m for m in project.models.values() if m.partitioned]
    parents = _parents(project)

    @dg.multi_asset(
        name="sql_models",
        specs=[*(_spec(m, parents[model_key(m.name)]) for m in models), publication_spec(project, parents)],
        check_specs=[*(_check_spec(test) for m in models for test in m.tests), *publication_checks(project)],
        partitions_def=batches,
        can_subset=True,
    )
    def sql_models(context: dg.AssetExecutionContext, platform: PlatformResource) -> Iterator[dg.MaterializeResult]:
        """Build the selected models of the batch in one DuckDB session, test each, and publish the marts.

        Publication is here and not in an op of its own: what a failed test of any model holds back is known here.
        """
        from enrichment_assets.warehouse import build_in, open_session, run_tests_in

        settings, batch_key = platform.settings(), context.partition_key
        with values_withheld(), platform.open_hq() as hq, open_session(settings, batch_key) as session:
            mine = [m.name for m in models if m.name in session.project.models]
            selected = [name for name in mine if model_key(name) in context.selected_asset_keys]
            reports = build_in(session, selected, previews=True) if selected else []
            tested = run_tests_in(session, [report.name for report in reports])
            broken = yield from _reported(context, project, settings, reports, tested)
            if PUBLISHED in context.selected_asset_keys and not broken:
                yield publish(hq, session, context.selected_asset_check_keys)

    return sql_models


def _reported(
    context: dg.AssetExecutionContext,
    project: Project,
    settings: Settings,
    reports: "Sequence[ModelReport]",
    tested: "Mapping[str, Sequence[TestReport]]",
) -> Generator[dg.MaterializeResult, None, set[str]]:
    """Report each model that was built, with those results of its tests that the run asked for.

    A model that is made from one whose blocking test failed is not reported. Gives the names of those that failed.
    """
    from enrichment_assets.warehouse.files import Layout
    from enrichment_assets.warehouse.kept_lineage import lineage_of
    from enrichment_assets.warehouse.lead_columns import project_of

    layout = Layout.of(settings)
    lineage = lineage_of(layout, project_of(layout))
    wanted = context.selected_asset_check_keys
    broken: set[str] = set()
    for report in reports:
        if any(below.name in broken for below in project.below(project.models[report.name])):
            context.log.warning(f"{report.name} is not reported: a test of what it is made from failed")
            continue
        key = model_key(report.name)
        results = tested[report.name]
        if any(not result.passed and result.severity == "error" for result in results):
            broken.add(report.name)
        yield dg.MaterializeResult(
            asset_key=key,
            metadata=_metadata(report, _lineage(project, lineage[report.name])),
            check_results=[
                _check_result(report.name, result) for result in results if dg.AssetCheckKey(key, result.name) in wanted
            ],
        )
    return broken


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
        "preview": dg.MetadataValue.md(preview_table(report.preview, report.columns, report.rows, report.filled)),
    }
    if lineage is not None:
        metadata["dagster/column_lineage"] = lineage
    if report.path is not None:
        metadata["path"] = dg.MetadataValue.path(str(report.path))
    return metadata


def _analytics(project: Project) -> dg.AssetsDefinition:
    models = [m for m in project.models.values() if not m.partitioned]
    parents = _parents(project)

    @dg.multi_asset(
        name="analytics_models",
        specs=[_spec(m, parents[model_key(m.name)]) for m in models],
        check_specs=[_check_spec(test) for m in models for test in m.tests],
        can_subset=True,
    )
    def analytics_models(
        context: dg.AssetExecutionContext, platform: PlatformResource
    ) -> Iterator[dg.MaterializeResult]:
        """Build the selected models over all batches, test each, and publish the organisations."""
        from enrichment_assets.warehouse import build_analytics, publish_organisations, run_tests

        settings = platform.settings()
        selected = [m.name for m in models if model_key(m.name) in context.selected_asset_keys]
        with values_withheld(), platform.open_hq() as hq:
            reports = build_analytics(settings, selected, previews=True)
            tested = run_tests(settings, None, [report.name for report in reports])
            broken = yield from _reported(context, project, settings, reports, tested)
            if not broken and any(m.published for m in models if m.name in selected):
                publish_organisations(hq, settings, selected)

    return analytics_models
