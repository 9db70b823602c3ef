"""Which workflow is tested: that of a file, which needs no database, or a registered one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.services.catalog.clients import no_such_workflow
from enrichment_assets.services.catalog.configuration import get_workflow
from enrichment_assets.services.tries.replays import definition_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq

_SUFFIXES = (".yaml", ".yml")


def named_file(workflow: str) -> Path | None:
    """The file that somebody named in the place of a slug: no slug has a dot."""
    return Path(workflow) if workflow.lower().endswith(_SUFFIXES) else None


def slug_in(file: Path) -> str:
    """The slug of the workflow in a file. Raises `NotFoundError`, or `ConfigurationError` for what is none."""
    return definition_of(file).slug


def tested_workflow(
    open_hq: Callable[[], Hq], settings: Settings, workflow: str, definition: Path | None
) -> WorkflowDefinition:
    """The definition of a file (`definition`, or `workflow` where that is one), else the registered one.

    Before there is an installation the built-in workflows are there, and no home is made for a test.

    Raises:
        NotFoundError: No such file, or no workflow of that slug.
        ConfigurationError: The file is no workflow.
    """
    file = definition or named_file(workflow)
    if file is not None:
        return definition_of(file)
    if settings.hq_database_url is None and not settings.home.exists():
        found = builtin_workflows().get(workflow)
        if found is None:
            raise no_such_workflow(workflow, builtin_workflows())
        return found
    return get_workflow(open_hq(), workflow).definition
