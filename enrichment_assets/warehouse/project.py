"""What stands in `dbt_like_sql/`: its models, sources, seeds and tests, read into plain values.

Reading only: no database, no rendering of a run. The folder is a dbt project, so names and keys here are dbt's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, Literal

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.lead_columns import patterns
from enrichment_assets.domain.suggestions import instead
from enrichment_assets.registry import kept_yaml
from enrichment_assets.warehouse.rendering import Renderer
from enrichment_assets.warehouse.testspecs import Severity, TestSpec, generic_tests

PROJECT_DIR = Path(__file__).resolve().parents[2] / "dbt_like_sql"
"""The folder beside the package, in a checkout as in an installation."""

PUBLISHED_OF_SYSTEM = "published tables of the system"
"""The reconciliation of all marts of a batch's system at once, also for a batch of none: runs plan the same checks."""

Layer = Literal["staging", "marts", "analytics"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column as `schema.yml` describes it; `type` is a DuckDB type.

    `personal` is False only where `schema.yml` says so (`meta: {personal: false}`): no text from outside stands in it.
    """

    name: str
    type: str
    description: str
    personal: bool = True


@dataclass(frozen=True, slots=True)
class Relation:
    """A source or a seed: columns and where its rows come from (`path` for a seed)."""

    name: str
    description: str
    columns: tuple[Column, ...]
    path: Path | None = None


@dataclass(frozen=True)
class Model:
    """One SQL model.

    Attributes:
        layer: The folder it stands in.
        materialized: `table` is written as Parquet, `view` is computed when read.
        partitioned: True: built per batch; False: built over all batches.
        published: True: a mart that goes to the workspace database.
        per_item: True: each row follows from one item and its answers, so that items can be built part by part.
        refs: Names of the models and seeds it reads.
        sources: Names of the sources it reads.
    """

    name: str
    layer: Layer
    description: str
    columns: tuple[Column, ...]
    materialized: Literal["table", "view"]
    partitioned: bool
    published: bool
    per_item: bool
    refs: tuple[str, ...]
    sources: tuple[str, ...]
    tests: tuple[TestSpec, ...]
    path: Path
    meta: Mapping[str, Any] = field(default_factory=dict)
    renderer: Renderer = field(repr=False, kw_only=True)

    @property
    def system(self) -> str | None:
        """The system whose batches alone have it (`meta: {system: golf}`); None: every batch has it."""
        return self.meta.get("system")

    @property
    def on_demand(self) -> bool:
        """Whether it is built by the analytics job and by whoever asks for it, and not after each run of a batch."""
        return bool(self.meta.get("on_demand", False))

    @property
    def held(self) -> bool:
        """Whether a build of a large batch works a view out once (`meta: {held: true}`), because several read it."""
        return self.materialized == "view" and bool(self.meta.get("held", False))

    @property
    def deps(self) -> tuple[str, ...]:
        """Names of everything it reads: models and seeds, then sources."""
        return self.refs + self.sources

    # opens files of ours: the models'
    @cached_property
    def sql(self) -> str:
        """The SQL as DuckDB runs it: models by their names, sources in the schema `hq`."""
        return self.renderer.render(self.path.read_text(encoding="utf-8"))

    @cached_property
    def column_lineage(self) -> dict[str, list[tuple[str, str]]]:
        """Column -> the (model or source, column) pairs it is made from."""
        from enrichment_assets.warehouse.lineage import column_lineage

        return column_lineage(self)


@dataclass(frozen=True)
class Project:
    """The whole folder. `models` is in an order in which each comes after what it reads."""

    models: dict[str, Model]
    sources: dict[str, Relation]
    seeds: dict[str, Relation]

    def model(self, name: str) -> Model:
        """The model of that name; raises `NotFoundError` naming what there is."""
        if name not in self.models:
            raise NotFoundError(
                f"there is no model {name!r}: {instead(name, sorted(self.models), listed=100)}", code="model.not_found"
            )
        return self.models[name]

    def below(self, model: Model) -> list[Model]:
        """Every model that this one reads, at any distance."""
        waiting, seen = list(model.refs), dict[str, Model]()
        while waiting:
            name = waiting.pop()
            if name in self.models and name not in seen:
                seen[name] = self.models[name]
                waiting += seen[name].refs
        return list(seen.values())

    def of_system(self, system: str | None) -> Project:
        """What a batch of this system has (None: of none): its models, and those of all batches."""
        kept = {name: model for name, model in self.models.items() if model.system in (None, system)}
        return replace(self, models=kept)

    def tables_below(self, model: Model) -> list[str]:
        """Names of the models that are files and that this one reads, at any distance."""
        return [below.name for below in self.below(model) if below.materialized == "table"]

    def needed_for(self, names: Iterable[str]) -> Project:
        """These models, sources (`hq.` before the name) and seeds, and what is behind those models that are views.

        Raises:
            NotFoundError: There is no model of one of the names.
        """
        waiting, models, others = list(names), dict[str, Model](), set[str]()
        while waiting:
            name = waiting.pop()
            if name.removeprefix("hq.") in self.sources or name in self.seeds:
                others.add(name.removeprefix("hq."))
            elif name not in models:
                models[name] = self.model(name)
                waiting += models[name].deps if models[name].materialized == "view" else ()
        return Project(
            {name: model for name, model in self.models.items() if name in models},
            {name: source for name, source in self.sources.items() if name in others},
            {name: seed for name, seed in self.seeds.items() if name in others},
        )

    def choose(self, select: Iterable[str] | None, *, partitioned: bool) -> list[Model]:
        """The named models (all, when None) that are (or are not) built per batch, in build order."""
        names = None if select is None else {self.model(name).name for name in select}
        return [m for m in self.models.values() if m.partitioned is partitioned and (names is None or m.name in names)]


def load_project(folder: Path = PROJECT_DIR, lead_columns: tuple[Column, ...] | None = None) -> Project:
    """Read the project. Cheap enough for import time (some tens of milliseconds), and read once a process.

    Args:
        folder: The dbt project.
        lead_columns: The columns of `final_leads` that workflows declare (default: those that are shipped). What a
            warehouse has is `warehouse.lead_columns.project_of`.

    Raises:
        ConfigurationError: A file cannot be read, a model has no description, or models read each other in a circle.
    """
    if lead_columns is None:
        from enrichment_assets.warehouse.lead_columns import shipped  # reads YAML of the registry: when it is asked for

        lead_columns = tuple(declared.column for declared in shipped())
    return _load(folder, lead_columns)


@lru_cache(maxsize=8)
def _load(folder: Path, lead_columns: tuple[Column, ...]) -> Project:
    config, *documents = _documents(folder)
    written = patterns()
    declared = [{"name": c.name, "type": c.type, "written": written.get(c.type)} for c in lead_columns]
    renderer = Renderer(folder, {**config.get("vars", {}), "lead_columns": declared})
    described = {m["name"]: m for d in documents for m in d.get("models") or []}
    sources = {t["name"]: _relation(t) for d in documents for s in d.get("sources") or [] for t in s["tables"]}
    seeds = {
        s["name"]: _relation(s, folder / "seeds" / f"{s['name']}.csv") for d in documents for s in d.get("seeds") or []
    }
    singular = _singular_tests(folder, renderer)
    models = {}
    for path in sorted((folder / "models").rglob("*.sql")):
        if path.stem not in described:
            raise ConfigurationError(f"{path.name} has no entry in a schema.yml beside it.", code="model.not_described")
        model = _model(path, described[path.stem], config, renderer, singular)
        models[model.name] = _with_declared(model, lead_columns)
    _check_per_item(models)
    _check_systems(models)
    return Project(models=_in_build_order(models), sources=sources, seeds=seeds)


def _with_declared(model: Model, lead_columns: tuple[Column, ...]) -> Model:
    """The model with the declared columns before the one that its `meta` names; as it is where that names none."""
    if "declared_before" not in model.meta:
        return model
    at = [column.name for column in model.columns].index(model.meta["declared_before"])
    return replace(model, columns=(*model.columns[:at], *lead_columns, *model.columns[at:]))


@lru_cache(maxsize=8)
def _documents(folder: Path) -> list[dict[str, Any]]:
    """What the project's YAML says: dbt_project.yml, then the models' files and the seeds'."""
    described = [*sorted((folder / "models").rglob("*.yml")), *sorted((folder / "seeds").glob("*.yml"))]
    try:
        texts = {
            str(path.relative_to(folder)): path.read_text(encoding="utf-8")
            for path in (folder / "dbt_project.yml", *described)
        }
        said = kept_yaml.documents(texts, folder, "project")
    except (OSError, kept_yaml.NotYaml) as error:
        named = error.name if isinstance(error, kept_yaml.NotYaml) else str(error.filename)
        raise ConfigurationError(f"{Path(named).name} cannot be read: {error}", code="model.file_unreadable") from error
    return [document if isinstance(document, dict) else {} for document in said.values()]


def _columns(entry: Mapping[str, Any]) -> tuple[Column, ...]:
    return tuple(
        Column(
            c["name"],
            str(c["data_type"]).upper(),
            " ".join(str(c.get("description", "")).split()),
            c.get("config", {}).get("meta", {}).get("personal") is not False,
        )
        for c in entry.get("columns", [])
    )


def _relation(entry: Mapping[str, Any], path: Path | None = None) -> Relation:
    return Relation(entry["name"], " ".join(str(entry.get("description", "")).split()), _columns(entry), path)


def _model(
    path: Path, entry: Mapping[str, Any], config: Mapping[str, Any], renderer: Renderer, singular: list[TestSpec]
) -> Model:
    layer = path.parent.name
    used = renderer.inspect(path.read_text(encoding="utf-8"))
    defaults = config["models"][config["name"]].get(layer, {})
    meta = {**entry.get("config", {}).get("meta", {}), **used.config.get("meta", {})}
    return Model(
        name=path.stem,
        layer=layer,  # type: ignore[arg-type]
        description=" ".join(str(entry.get("description", "")).split()),
        columns=_columns(entry),
        materialized=used.config.get("materialized", defaults.get("+materialized", "view")),
        partitioned=bool(meta.get("partitioned", layer != "analytics")),
        published=bool(meta.get("published", layer == "marts")),
        per_item=bool(meta.get("per_item", False)),
        refs=used.refs,
        sources=used.sources,
        tests=(*generic_tests(entry, renderer), *(t for t in singular if t.model == path.stem)),
        path=path,
        meta=meta,
        renderer=renderer,
    )


def _singular_tests(folder: Path, renderer: Renderer) -> list[TestSpec]:
    """Files under `tests/`: each selects failing rows and belongs to the first model it refers to."""
    tests = []
    for path in sorted((folder / "tests").glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        used = renderer.inspect(text)
        if not used.refs:
            raise ConfigurationError(
                f"tests/{path.name} refers to no model, so it belongs to none.", code="model.test_of_nothing"
            )
        severity: Severity = "warn" if used.config.get("severity") == "warn" else "error"
        about = " ".join(line[2:].strip() for line in text.splitlines() if line.startswith("--"))
        tests.append(TestSpec(path.stem, used.refs[0], text, severity, about, reads=used.relations))
    return tests


def _check_per_item(models: Mapping[str, Model]) -> None:
    """A model that is built part by part sees parts only of what it reads: those have to come part by part too."""
    for model in models.values():
        whole = [name for name in model.refs if name in models and not models[name].per_item]
        if model.per_item and (whole or not model.partitioned):
            raise ConfigurationError(
                f"{model.name} says `per_item`, but "
                + (f"reads {whole[0]}, which is not." if whole else "has no batch."),
                code="model.per_item_invalid",
            )


def _check_systems(models: Mapping[str, Model]) -> None:
    """What every batch has cannot read what only the batches of one system have; nor one system another's."""
    for model in models.values():
        for name in model.refs:
            system = models[name].system if name in models else None
            if system not in (None, model.system):
                raise ConfigurationError(
                    f"{model.name} reads {name}, which only batches of the system {system} have.",
                    code="model.of_another_system",
                )


def _in_build_order(models: dict[str, Model]) -> dict[str, Model]:
    graph = {name: [r for r in model.refs if r in models] for name, model in models.items()}
    try:
        return {name: models[name] for name in TopologicalSorter(graph).static_order()}
    except CycleError as error:
        raise ConfigurationError(
            f"Models read each other in a circle: {' -> '.join(error.args[1])}", code="model.circle"
        ) from error
