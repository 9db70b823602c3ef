"""The built-in workflows, pipelines, systems and search templates: YAML files beside this module, read and validated.

They seed the database and stand in for it while it is down. A user's own workflow file is read by the same functions.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.model_errors import Lines, at_line, described, line_of
from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.domain.pulls import PullDefinition
from enrichment_assets.domain.reads import spelt
from enrichment_assets.domain.search_plans import Searches
from enrichment_assets.domain.suggestions import instead
from enrichment_assets.domain.system import SystemDefinition
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.domain.yaml_text import line_numbers, load_yaml
from enrichment_assets.registry.kept_yaml import NotYaml, documents

_Model = TypeVar("_Model", WorkflowDefinition, PipelineDefinition, SystemDefinition, Searches, PullDefinition)


@cache
def builtin_workflows() -> dict[str, WorkflowDefinition]:
    """Slug -> definition, in the order of `step`. Do not change the dictionary: it is shared."""
    found = _shipped(WorkflowDefinition, "workflows")
    return {workflow.slug: workflow for workflow in sorted(found, key=lambda w: (w.step, w.slug))}


@cache
def builtin_versions() -> dict[str, str]:
    """Slug -> the version of a built-in workflow's content, worked out once."""
    return {slug: workflow.content_version() for slug, workflow in builtin_workflows().items()}


@cache
def builtin_pipelines() -> dict[str, PipelineDefinition]:
    """Slug -> definition of the pipelines that every client can use."""
    found = _shipped(PipelineDefinition, "pipelines")
    return {pipeline.slug: pipeline for pipeline in found}


@cache
def systems() -> dict[str, SystemDefinition]:
    """Slug -> definition of the systems that are shipped, by slug."""
    found = _shipped(SystemDefinition, "systems")
    return {system.slug: system for system in found}


def get_system(slug: str) -> SystemDefinition:
    """The system of that slug; raises `NotFoundError` naming what there is."""
    if slug not in systems():
        raise NotFoundError(f"there is no system {slug!r}: {instead(slug, list(systems()))}", code="system.not_found")
    return systems()[slug]


@cache
def builtin_searches() -> dict[str, Searches]:
    """Slug of a system -> its search templates, for plans of what to search."""
    found = _shipped(Searches, "searches")
    return {one.slug: one for one in found}


@cache
def pulls() -> dict[str, PullDefinition]:
    """Slug -> what is fetched from an outside service."""
    found = _shipped(PullDefinition, "pulls")
    return {pull.slug: pull for pull in found}


def pulled_tables() -> set[str]:
    """The tables of the workspace that pulls fill."""
    return {table for pull in pulls().values() for table in pull.tables}


def parse_workflow(text: str, name: str) -> WorkflowDefinition:
    """Read one workflow file.

    Raises:
        ConfigurationError: Not YAML, or not a workflow; names the file and every field that is wrong, with its line.
    """
    return _parsed(WorkflowDefinition, text, name)


def parse_pipeline(text: str, name: str) -> PipelineDefinition:
    """Read one pipeline file; raises `ConfigurationError` as `parse_workflow` does."""
    return _parsed(PipelineDefinition, text, name)


def explain(error: ValidationError, model: type[BaseModel], lines: Lines | None = None) -> str:
    """A validation error as one line: `field (line n): what is wrong; field: ...`, without the values."""
    return "; ".join(
        f"{at_line(spelt(place) or 'the whole', line_of(place, lines))}: {message}"
        for place, message in described(error, model, lines)
    )


def _parsed(model: type[_Model], text: str, name: str) -> _Model:
    value = _mapping(text, name)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise ConfigurationError(
            f"{name}: {explain(error, model, line_numbers(text))}", code="file.fields_invalid"
        ) from None


def _shipped(model: type[_Model], folder: str) -> list[_Model]:
    """Files of ours: read by the parser that is ten times as fast, and by the careful one where that fails."""
    texts = _files(folder)
    try:
        said = documents(texts, Path(__file__).parent, folder)
        return [model.model_validate(said[name]) for name in texts]
    except (NotYaml, ValidationError):
        return [_parsed(model, text, name) for name, text in texts.items()]


def _mapping(text: str, name: str) -> dict[str, Any]:
    value = load_yaml(text, name)
    if not isinstance(value, dict):
        raise ConfigurationError(
            f"{name}: has to be a YAML mapping of field names to values", code="file.not_a_mapping"
        )
    return value


# opens files of ours: the package's own lists
def _files(folder: str) -> dict[str, str]:
    paths = sorted((Path(__file__).parent / folder).glob("*.yaml"))
    return {path.name: path.read_text("utf-8") for path in paths}
