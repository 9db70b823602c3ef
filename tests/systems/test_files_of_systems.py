"""What the files of systems name is there: pipelines, samples, reports, pages, models and views."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.domain.system import SystemDefinition
from enrichment_assets.registry.loader import builtin_pipelines, get_system, systems
from enrichment_assets.services.catalog.configuration import add_pipeline
from enrichment_assets.services.insight.named_reports import REPORTS
from enrichment_assets.services.systems.arriving import ARRIVALS, EXAMPLES
from enrichment_assets.settings import Settings
from enrichment_assets.store.views.making import Database, views
from enrichment_assets.warehouse import load_project
from enrichment_assets.warehouse.project import Model, Project, _check_systems
from tests.actors import TESTER
from tests.docs.pages import REPOSITORY
from tests.harness.handles import hq_of

DEMO = {"client": "a", "client_name": "A", "pipeline": "agency", "sample": "x.csv"}
DATABASES: tuple[Database, ...] = ("hq", "workspace")


@pytest.mark.parametrize("system", systems().values(), ids=lambda system: system.slug)
def test_what_a_system_names_is_there(system: SystemDefinition) -> None:
    pipelines = [builtin_pipelines()[slug] for slug in system.pipelines]
    assert {pipeline.system for pipeline in pipelines} <= {system.slug}
    assert set(system.demo.configs) <= {slug for pipeline in pipelines for slug in pipeline.slugs()}
    assert system.demo.kind in ARRIVALS
    for file in (system.demo.sample, system.demo.profile):
        assert file is None or (EXAMPLES / file).is_file(), file
    assert set(system.reports) <= set(REPORTS)
    page, _, section = system.page.partition("#")
    headings = [line.lstrip("# ").lower() for line in (REPOSITORY / "docs" / page).read_text().splitlines()]
    assert not section or any(heading.replace(" ", "-") == section for heading in headings), system.page


def test_a_system_is_named_by_its_pipelines_models_and_views_only_where_it_is_shipped() -> None:
    named = {pipeline.system for pipeline in builtin_pipelines().values()}
    named |= {model.system for model in load_project().models.values()}
    named |= {view.system for database in DATABASES for view in views(database)}
    assert named - {None} <= set(systems())
    for slug, pipeline in builtin_pipelines().items():
        assert pipeline.system is None or slug in systems()[pipeline.system].pipelines, slug


def test_no_two_views_have_one_name_for_both_databases_may_be_one() -> None:
    names = [(view.schema, view.name) for database in DATABASES for view in views(database)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"demo": {"client": "a", "client_name": "A", "pipeline": "other", "sample": "x.csv"}},
            "none of its pipelines",
        ),
        ({"demo": {"client": "a", "client_name": "A", "pipeline": "agency"}}, "needs a sample and a pipeline"),
        ({"demo": {"client": "a", "client_name": "A", "pipeline": "agency", "sample": "../x.csv"}}, "sample"),
        ({"tables": {"hq": ["a.b.c"]}}, "tables"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(changed: dict[str, object], said: str) -> None:
    whole = get_system("agency").model_dump(mode="json")
    with pytest.raises(ValidationError, match=said):
        SystemDefinition.model_validate(whole | changed)


def test_a_pipeline_of_an_unknown_system_is_refused_with_what_there_is(settings: Settings) -> None:
    pipeline = PipelineDefinition(slug="mine", steps=["normalise-name"], system="agensy")
    with pytest.raises(NotFoundError, match="agency"):
        add_pipeline(hq_of(settings), pipeline, actor=TESTER)


def test_a_batch_has_its_systems_models_and_those_of_all_batches() -> None:
    project = load_project()
    leads = project.models["final_leads"]
    of_golf = _model(leads, "courses_of_leads", system="golf", refs=("final_leads",))
    of_fs = _model(leads, "prospects_of_leads", system="fs", refs=("final_leads",))
    more = Project({**project.models, of_golf.name: of_golf, of_fs.name: of_fs}, project.sources, project.seeds)
    for system, own in ((None, set()), ("golf", {of_golf.name}), ("fs", {of_fs.name}), ("agency", set())):
        assert set(more.of_system(system).models) == set(project.of_system(system).models) | own, system


def test_a_model_of_all_batches_reads_no_table_of_one_system() -> None:
    leads = load_project().models["final_leads"]
    of_golf = _model(leads, "courses_of_leads", system="golf", refs=())
    for system in (None, "fs"):
        reader = _model(leads, "reader", system=system, refs=("courses_of_leads",))
        with pytest.raises(ConfigurationError, match="only batches of the system golf"):
            _check_systems({of_golf.name: of_golf, "reader": reader})
    _check_systems({of_golf.name: of_golf, "reader": _model(leads, "reader", system="golf", refs=(of_golf.name,))})


def _model(like: Model, name: str, *, system: str | None, refs: tuple[str, ...]) -> Model:
    from dataclasses import replace

    meta = {} if system is None else {"system": system}
    return replace(like, name=name, refs=refs, meta=meta, path=Path(f"{name}.sql"))
