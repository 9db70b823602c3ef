"""`check`: what is wrong with workflow files, all of it at once and by line, without saving anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from enrichment_assets.domain.errors import ConfigurationError, EnrichError
from enrichment_assets.domain.hints import Hint
from enrichment_assets.domain.known_names import vocabulary
from enrichment_assets.domain.model_errors import Lines, Place, described, line_of
from enrichment_assets.domain.name_checks import name_warnings
from enrichment_assets.domain.prompts.checks import prompt_warnings
from enrichment_assets.domain.reads import spelt
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.domain.workflow_checks import workflow_faults
from enrichment_assets.domain.yaml_text import line_numbers, load_yaml
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.services.catalog.configuration import refuse_unsafe
from enrichment_assets.services.catalog.definition_files import read_definition
from enrichment_assets.services.catalog.lead_columns import column_faults
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.settings import Settings
from enrichment_assets.store.catalog import registry as store
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong (or, in `warnings`, probably not meant). `line` is None where it has none."""

    place: str
    message: str
    line: int | None = None
    hints: tuple[Hint, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """What was found in one file; it can be added when `problems` is empty. `slug` is None where it is no workflow."""

    file: str
    slug: str | None = None
    problems: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class _Read:
    """A file as far as it could be read."""

    file: str
    lines: Lines = field(default_factory=dict)
    workflow: WorkflowDefinition | None = None
    problems: list[Finding] = field(default_factory=list)


def check_files(hq: Hq, settings: Settings, files: Sequence[Path]) -> list[CheckedFile]:
    """Check workflow files as adding them would, together: one may read what another one provides.

    The registry says which fields other workflows give; before there is an installation the built-in ones do.
    """
    read = [_read(path) for path in files]
    known = _registered(hq, settings)
    mine = {one.workflow.slug: one.workflow for one in read if one.workflow is not None}
    parameters = _parameters(hq, list(mine)) if known is not None else {}
    workflows = {**(known if known is not None else builtin_workflows()), **mine}
    return [_checked(settings, one, workflows, parameters) for one in read]


def _read(path: Path) -> _Read:
    """Parse one file; what cannot be parsed is its only problem."""
    found = _Read(str(path))
    try:
        text = read_definition(path)
        value = load_yaml(text, path.name)
    except EnrichError as error:
        found.problems.append(Finding("", str(error).removeprefix(f"{path.name}: ")))
        return found
    found.lines = line_numbers(text)
    if not isinstance(value, dict):
        found.problems.append(Finding("", "has to be a YAML mapping of field names to values"))
        return found
    try:
        found.workflow = WorkflowDefinition.model_validate(value)
    except ValidationError as error:
        found.problems += [
            _finding(place, message, found.lines)
            for place, message in described(error, WorkflowDefinition, found.lines)
        ]
    return found


def _checked(
    settings: Settings, read: _Read, workflows: Mapping[str, WorkflowDefinition], parameters: Mapping[str, list[str]]
) -> CheckedFile:
    workflow = read.workflow
    if workflow is None:
        return CheckedFile(read.file, problems=tuple(read.problems))
    fields = vocabulary(other for slug, other in workflows.items() if slug != workflow.slug)
    others = [other for slug, other in workflows.items() if slug != workflow.slug]
    faults = workflow_faults(workflow, PROVIDERS, vocabulary(others), parameters.get(workflow.slug, ()))
    faults += column_faults(settings, workflow, others)
    problems = [_finding(fault.place, fault.message, read.lines) for fault in faults]
    problems += _unsafe(settings, workflow) if not problems else ()
    warned = [*name_warnings(workflow, fields), *prompt_warnings(workflow, PROVIDERS)]
    warnings = [_finding(fault.place, fault.message, read.lines) for fault in warned]
    return CheckedFile(read.file, workflow.slug, tuple(problems), tuple(warnings))


def _unsafe(settings: Settings, workflow: WorkflowDefinition) -> Iterator[Finding]:
    try:
        refuse_unsafe(settings, workflow, replace=False)
    except ConfigurationError as error:
        yield Finding("", error.what.removeprefix(f"workflow {workflow.slug}: "), hints=error.hints)


def _finding(place: Place, message: str, lines: Lines) -> Finding:
    return Finding(spelt(place), message, line_of(place, lines))


def _is_installed(settings: Settings) -> bool:
    return settings.hq_database_url is not None or settings.home.exists()


def _registered(hq: Hq, settings: Settings) -> dict[str, WorkflowDefinition] | None:
    """The registry, or None where no installation is there: a check does not make one."""
    if not _is_installed(settings):
        return None
    with registry(hq) as connection:
        return store.readable_workflows(store.list_workflow_rows(connection))


def _parameters(hq: Hq, slugs: Sequence[str]) -> dict[str, list[str]]:
    connection: Connection
    with registry(hq) as connection:
        return {slug: store.configured_parameters(connection, slug) for slug in slugs}
