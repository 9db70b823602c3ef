"""The column lineage of all models, worked out once for a state of the SQL and kept in the warehouse's folder.

Parsing the SQL anew took a tenth of a small batch's run.
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from typing import Any

from enrichment_assets.warehouse.files import Layout, put_in_place
from enrichment_assets.warehouse.project import Model, Project, Relation

Lineage = dict[str, list[tuple[str, str]]]
"""Column -> the (model or source, column) pairs it is made from."""

_FILE = "lineage.json"


def lineage_of(layout: Layout, project: Project) -> dict[str, Lineage]:
    """Model -> its lineage. What is kept counts for the very SQL, columns and parser that it was read from."""
    state = _state_of(project)
    kept = _read(layout)
    if kept.get("state") != state:
        models = {name: model.column_lineage for name, model in project.models.items()}
        kept = {"state": state, "models": models}
        with put_in_place(layout.root / _FILE) as unfinished:
            unfinished.write_text(json.dumps(kept), encoding="utf-8")
    return {
        model: {column: [(table, origin) for table, origin in origins] for column, origins in columns.items()}
        for model, columns in kept["models"].items()
    }


def _state_of(project: Project) -> str:
    relations: dict[str, Relation | Model] = {**project.sources, **project.seeds, **project.models}
    columns = {name: [(column.name, column.type) for column in one.columns] for name, one in relations.items()}
    said = [version("sqlglot"), columns, {name: model.sql for name, model in project.models.items()}]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


# opens files of ours: the home's
def _read(layout: Layout) -> dict[str, Any]:
    """What is kept; nothing where it cannot be read, which costs only the work."""
    try:
        kept: dict[str, Any] = json.loads((layout.root / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) and isinstance(kept.get("models"), dict) else {}
