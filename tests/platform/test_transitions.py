"""One module moves workflow states, so that state, result, completion and log cannot disagree."""

from __future__ import annotations

import re
from pathlib import Path

import enrichment_assets

PACKAGE = Path(enrichment_assets.__file__).parent
MIGRATIONS = PACKAGE / "store" / "migrations"
MOVE_TOGETHER = (
    "workflow_states",
    "enrichment_results",
    "enrichment_results_log",
    "company_play_step_completions",
)
WRITES = re.compile(rf"\b(into|update|from|copy)\s+(only\s+)?({'|'.join(MOVE_TOGETHER)})\b", re.IGNORECASE)
READS = re.compile(rf"(?<!delete )\bfrom\s+({'|'.join(MOVE_TOGETHER)})\b", re.IGNORECASE)


def test_no_other_module_writes_a_state_or_what_moves_with_it() -> None:
    modules = [path for path in sorted(PACKAGE.rglob("*.py")) if MIGRATIONS not in path.parents]
    writers = [
        path.relative_to(PACKAGE).as_posix() for path in modules if WRITES.search(READS.sub("", path.read_text()))
    ]

    assert writers == ["store/states/transitions.py"]
