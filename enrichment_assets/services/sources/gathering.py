"""Rows that come one after another, gathered into one open batch for each client, source, pipeline and hour or day.

The batch is an upload that grows by parts. A part is one transaction: its rows as they came, the hash of them, its
items with their leases and states, and the note that the batch wants a run. So rows in = rows out holds at every
commit, and whatever works on the batch meanwhile finds all of a part or nothing. A batch takes no more rows when its
hour is over: nothing has to happen for that (docs/adr/0048).
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from enrichment_assets.domain.families import Families
from enrichment_assets.domain.known_policy import Known
from enrichment_assets.domain.person_traces import REDACTED
from enrichment_assets.domain.pipeline import Blueprint, PipelineDefinition
from enrichment_assets.domain.sources import Window
from enrichment_assets.domain.suppression import Hasher
from enrichment_assets.services.batches.items import ItemMaker, add_items
from enrichment_assets.services.batches.known import bring_up_to_date, must_recognise
from enrichment_assets.services.batches.launch_plan import draft_launch
from enrichment_assets.services.batches.launching import refuse_unready
from enrichment_assets.services.batches.pilots import same_work
from enrichment_assets.services.batches.simulation import calls_simulator
from enrichment_assets.services.batches.step_plans import step_plans
from enrichment_assets.services.catalog.configuration import pipeline_row
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.services.people.keeping_out import Door, door_of, kept_out
from enrichment_assets.services.sources.columns import merged, placed
from enrichment_assets.services.uploads.csv_files import ReadLimits
from enrichment_assets.services.uploads.csv_files.rows import RAW_CHARS
from enrichment_assets.services.uploads.options import UploadOptions
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches import launching as launching_store
from enrichment_assets.store.catalog import uploads as uploads_store
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.sources import gathering as store

ROWS_OF_A_BATCH = 50_000
"""Rows of one open batch at most: its tables are made anew each time it comes to rest. More go into another."""

Cells = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Into:
    """Where rows go.

    Attributes:
        client: The client's slug.
        pipeline: Slug of the client's pipeline, or of a shared one.
        gathers: What they come from: a source's name, `api` or `by-hand`.
        source: What that is: `table`, `api` or `hand`.
        window: How long a batch takes rows.
        mapping: Column -> identity field, "" for none; the other columns are recognised by their names.
    """

    client: str
    pipeline: str
    gathers: str
    source: str
    window: Window = Window.HOUR
    mapping: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Incoming:
    """Rows that came at once: the columns' names, and the cells of each row; null: it has no such cell."""

    names: Sequence[str]
    rows: Sequence[Cells]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What became of rows that came at once.

    Attributes:
        batch_id: The batch that has them.
        batch_key: Its key.
        upload_id: Its upload.
        opened: The batch is new: nobody may have told Dagster of its partition yet.
        items: The item of each row, in order; None: the row was rejected.
        rejections: Index of a row -> why it was rejected.
    """

    batch_id: int
    batch_key: str
    upload_id: int
    opened: bool
    items: tuple[int | None, ...]
    rejections: Mapping[int, str]

    @property
    def jobs(self) -> list[int]:
        """The items of the rows that were not rejected, in order: a job's id is its item's."""
        return [item for item in self.items if item is not None]


@dataclass(frozen=True, slots=True)
class Ready:
    """What rows are compared with: `door`, who was erased and stays out; `hasher`, where known leads are skipped.

    `families`: which tables the pipeline writes by itself, if any.
    """

    client_id: int
    door: Door | None
    hasher: Hasher | None
    families: Families | None = None


def make_ready(hq: Hq, settings: Settings, client: str, pipeline: str) -> Ready:
    """Before rows are gathered, in transactions of its own: who stays out, and whom the client knows already.

    Raises:
        NotFoundError: There is no such client or pipeline.
        ConfigurationError: Somebody was erased, or known leads are skipped, and the pepper is missing.
    """
    with registry(hq) as connection:
        client_id = int(client_row(connection, client)["id"])
        definition = PipelineDefinition.model_validate(pipeline_row(connection, pipeline, client)["definition"])
    hasher = must_recognise(hq, settings) if definition.known is Known.SKIP else None
    if hasher is not None:
        bring_up_to_date(hq, client_id, hasher)
    return Ready(client_id, door_of(hq, settings, client_id), hasher, definition.families)


# crash point: rows-are-gathered
def gather(
    connection: Connection,
    settings: Settings,
    into: Into,
    incoming: Incoming,
    ready: Ready,
    *,
    environment: Mapping[str, str] | None = None,
) -> Gathered:
    """Add rows to the open batch, or open one. The caller notes who brought them, and commits.

    Until then nobody else adds rows there.

    Args:
        connection: HQ database with the built-ins (`services.catalog.seeding.registry`).
        settings: The installation.
        into: Where they go.
        incoming: At least one row.
        ready: From `make_ready`, of the same client and pipeline.
        environment: Where keys are looked for when a batch is opened; default `os.environ`.

    Raises:
        NotFoundError: There is no such client or pipeline.
        ConfigurationError: The pipeline cannot run, or the mapping names a column that there is not.
    """
    client_id = ready.client_id
    store.lock_gathering(connection, client_id, into.gathers, into.pipeline)
    batch = store.find_open(connection, client_id, into.gathers, into.pipeline)
    if batch is not None:
        batch["blueprint"] = Blueprint.model_validate(batch["blueprint"])
    if batch is not None and not _takes(connection, settings, batch, into, incoming):
        batch = None
    opened = batch is None
    if opened:
        store.close_others(connection, client_id, into.gathers, into.pipeline)
    batch = batch or _opened(connection, settings, client_id, into, incoming, environment)
    columns = merged(batch["columns"], incoming.names, into.mapping)
    rows = placed(columns, incoming.names, incoming.rows)
    part, rejections = _part_of(columns, rows)
    sha256 = hashlib.sha256(f"{batch['sha256']}{part.sha256}".encode()).hexdigest()
    first = store.grow(connection, batch["upload_id"], columns, sha256, part)
    if ready.door is not None:
        for index in kept_out(connection, ready.door, columns, rows):
            rows[index] = (REDACTED, *[None] * (len(columns) - 1))
    numbered = [(first + index, row) for index, row in enumerate(rows) if index not in rejections]
    items = _laid_out(connection, batch, columns, numbered, first, ready.hasher)
    rejected = [(first + at, first + at, why, _raw(rows[at])) for at, why in rejections.items()]
    uploads_store.copy_rejections(connection, batch["upload_id"], client_id, rejected)
    store.wants_a_run(connection, batch["id"])
    return Gathered(
        batch_id=batch["id"],
        batch_key=batch["batch_key"],
        upload_id=batch["upload_id"],
        opened=opened,
        items=tuple(items.get(first + index) for index in range(len(rows))),
        rejections=rejections,
    )


def _takes(connection: Connection, settings: Settings, batch: dict[str, Any], into: Into, incoming: Incoming) -> bool:
    """Whether an open batch takes these rows: they are read as its rows are, and would run as it does."""
    if batch["row_count"] + len(incoming.rows) > ROWS_OF_A_BATCH:
        return False
    if batch["options"] != UploadOptions(mapping=into.mapping).kept():
        return False
    now = draft_launch(connection, batch["upload_id"], into.pipeline, into.client).blueprint
    blueprint: Blueprint = batch["blueprint"]
    return same_work(blueprint, now) and blueprint.simulated == calls_simulator(settings)


def _opened(
    connection: Connection,
    settings: Settings,
    client_id: int,
    into: Into,
    incoming: Incoming,
    environment: Mapping[str, str] | None,
) -> dict[str, Any]:
    """Open a batch, as `store.find_open` would give it. Raises as `gather`."""
    span = store.span_of_now(connection, into.window)
    upload = store.insert_gathered_upload(
        connection,
        {
            "client_id": client_id,
            "filename": f"{into.gathers} {span.label}",
            "sha256": hashlib.sha256(uuid.uuid4().bytes).hexdigest(),
            "columns": merged((), incoming.names, into.mapping),
            "options": UploadOptions(mapping=into.mapping).kept(),
            "source": into.source,
        },
    )
    draft = draft_launch(connection, upload["id"], into.pipeline, into.client)
    if into.source == "api":  # what a program leaves out of its first lead may stand in the next one
        draft = replace(draft, misread=())
    refuse_unready(draft, step_plans(settings, draft, None, environment))
    blueprint = draft.blueprint.model_copy(update={"simulated": calls_simulator(settings)})
    stem = f"{into.client}-{into.gathers}-{into.pipeline}-{span.label}"
    rank = draft.priority.rank
    while (
        batch_id := launching_store.insert_batch(
            connection, key := _free_key(connection, stem), upload, blueprint, priority=rank
        )
    ) is None:
        pass  # a launch by hand took this very key meanwhile
    store.mark_open(connection, batch_id, into.gathers, span.closes_at)
    return {**upload, "id": batch_id, "batch_key": key, "upload_id": upload["id"], "blueprint": blueprint}


def _free_key(connection: Connection, stem: str) -> str:
    """`acme-golf-courses-golf-20261129t07`, with a number behind it for a further batch of the hour."""
    if launching_store.get_batch(connection, stem) is None:
        return stem
    return f"{stem}-{max(2, launching_store.next_batch_number(connection, stem))}"


def _part_of(columns: Sequence[Mapping[str, Any]], rows: Sequence[Cells]) -> tuple[store.Part, dict[int, str]]:
    """The part's figures, and the rows that cannot be kept whole, with the reason."""
    longest, keys = ReadLimits().cell_chars, [column["key"] for column in columns]
    digest, size, rejections = hashlib.sha256(), 0, dict[int, str]()
    for index, row in enumerate(rows):
        cells = {key: cell for key, cell in zip(keys, row, strict=True) if cell is not None}
        line = orjson.dumps(cells, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
        digest.update(line)
        size += len(line)
        if long := next((key for key, cell in cells.items() if len(cell) > longest), None):
            rejections[index] = f"the cell of {long!r} has more than {longest:,} characters"
    return store.Part(len(rows), len(rejections), digest.hexdigest(), size), rejections


def _laid_out(
    connection: Connection,
    batch: Mapping[str, Any],
    columns: Sequence[dict[str, Any]],
    rows: Sequence[tuple[int, Cells]],
    first: int,
    hasher: Hasher | None,
) -> dict[int, int]:
    """Make items of numbered rows, with leases and PENDING states, and keep their cells; row number -> item id."""
    blueprint: Blueprint = batch["blueprint"]
    maker = ItemMaker(batch["client_id"], batch["id"], columns, blueprint.company_identity)
    made = (maker.item(number, row) for number, row in rows)
    add_items(connection, batch, blueprint, made, first - 1, hasher if blueprint.skips_known else None)
    return store.keep_rows(connection, batch["upload_id"], batch["id"], first)


def _raw(row: Cells) -> str:
    return orjson.dumps([cell and cell[:RAW_CHARS] for cell in row]).decode()[:RAW_CHARS]
