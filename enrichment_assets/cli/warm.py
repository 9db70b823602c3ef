"""Commands that begin with everything imported: the first `enrich run` of a home leaves a copy of its process behind.

What the copy is and when it ends: `installation.warm_commands`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import ContextVar
from importlib import import_module
from pathlib import Path

from enrichment_assets.cli.sentences import say
from enrichment_assets.settings import Settings

HANDED_OVER = frozenset({"launch", "query", "run", "stats", "status"})
"""Commands that the copy may run: those that people give again and again. The others are begun as ever."""

LOADED = (
    "babel.numbers",
    "charset_normalizer",
    "dagster._core.definitions.repository_definition.repository_data_builder",
    "dagster._core.execution.execute_in_process",
    "dagster._core.executor.in_process",
    "dagster._core.instance.factory",
    "dagster._core.instance.runs.run_domain",
    "dagster._core.storage.dagster_run",
    "dagster._core.storage.noop_compute_log_manager",
    "dagster._core.storage.root",
    "dagster._core.system_config.composite_descent",
    "disposable_email_domains",
    "enrichment_assets.assets.engine_worker",
    "enrichment_assets.cli.grids",
    "enrichment_assets.cli.tables",
    "enrichment_assets.resources.dagster_storage",
    "enrichment_assets.services.batches.launching",
    "enrichment_assets.services.batches.storing",
    "enrichment_assets.services.insight.queries",
    "enrichment_assets.services.shapes.batches",
    "enrichment_assets.services.uploads.raw_uploads",
    "enrichment_assets.store.tables",
    "enrichment_assets.warehouse.building",
    "enrichment_assets.warehouse.kept_lineage",
    "enrichment_assets.warehouse.publishing",
    "enrichment_assets.warehouse.sources",
    "enrichment_assets.warehouse.testing",
    "numpy.ma",
    "psycopg2.extras",
    "upath",
)
"""What a run and the other commands import besides, when they come to it."""

_program: ContextVar[Callable[[], None] | None] = ContextVar("_program", default=None)
"""How the program is run again; None where this process is no program of its own, or is such a copy's."""


def run_or_hand_over(program: Callable[[], None]) -> None:
    """Run the command of `sys.argv`: in the home's warm copy where there is one, else here, by `program`."""
    settings = Settings.from_environment()
    if settings.warm_minutes > 0 and sys.argv[1:2] and sys.argv[1] in HANDED_OVER:
        from enrichment_assets.installation.handing_over import LostError, hand_over

        try:
            code = hand_over(settings.home)
        except LostError:
            say("enrich: the process that ran the command is gone; `enrich status` says how far it came", err=True)
            sys.exit(1)
        if code is not None:
            sys.exit(code)
    _program.set(program)
    program()


def leave_warm_copy(settings: Settings) -> None:
    """Leave a copy of this process for the next command, if this is the program; nothing may be open.

    What the copy is for is imported first: most of it this process needs itself in a moment.
    """
    program = _program.get()
    if program is None or settings.warm_minutes <= 0:
        return
    from enrichment_assets.installation.warm_commands import leave_behind

    for name in LOADED:
        import_module(name)
    _learn(settings)
    leave_behind(settings.home, settings.warm_minutes * 60, program, _files_that_are_no_modules)


def _learn(settings: Settings) -> None:
    """Read what every run reads: the code location, the SQL models, countries, numbering plans and public suffixes."""
    from enrichment_assets.assets.jobs import ANALYTICS_JOB, BATCH_JOB
    from enrichment_assets.cli import built_command
    from enrichment_assets.code_location import kept_definitions
    from enrichment_assets.domain.countries import region_of
    from enrichment_assets.domain.domains import registrable_domain
    from enrichment_assets.domain.phones import normalise_phone
    from enrichment_assets.warehouse import load_project

    for word in HANDED_OVER:
        built_command(word)
    definitions = kept_definitions(settings)
    for job in (BATCH_JOB, ANALYTICS_JOB):
        definitions.resolve_job_def(job)
    all(model.sql for model in load_project().models.values())  # rendered, and kept
    region_of("Deutschland")
    registrable_domain("www.example.co.uk")
    for country in ("US", "GB", "DE"):
        normalise_phone("2015550123", country)


def _files_that_are_no_modules() -> dict[Path, int]:
    """When the SQL models, the shipped workflows and the folder of the libraries were last changed."""
    import dagster

    from enrichment_assets.registry import loader
    from enrichment_assets.warehouse.project import PROJECT_DIR

    folders = (PROJECT_DIR, Path(loader.__file__).parent)
    found = {path: path.stat().st_mtime_ns for folder in folders for path in folder.rglob("*") if _counts(path)}
    libraries = Path(dagster.__file__).parents[1]
    return found | {libraries: libraries.stat().st_mtime_ns}


def _counts(path: Path) -> bool:
    return path.parent.name != "__pycache__" and path.is_file()
