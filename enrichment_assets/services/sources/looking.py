"""One look at a table source: rows that are through are written back, then further rows are taken.

The workspace may be another database than HQ, so nothing is committed in both at once. Rows are claimed in HQ alone,
in the transaction that makes items of them. They are written back in the workspace first, with a token that says so,
and noted in HQ after it: who dies in between leaves the token, and nothing is written a second time, not over what
somebody has changed since either. One process looks at a source at a time.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

import psycopg

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import EnrichError, InfrastructureError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.sources import RowEnd, TableSource
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.services.sources.checking import said_of, usable
from enrichment_assets.services.sources.gathering import Gathered, Incoming, Into, Ready, gather, make_ready
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.batches import items as items_store
from enrichment_assets.store.database import Connection
from enrichment_assets.store.database_errors import described
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.sources import table_sources as store
from enrichment_assets.store.sources import user_tables
from enrichment_assets.store.sources.table_sources import Ending, Source
from enrichment_assets.store.sources.user_tables import UserTable

_ANALYZE_FROM = 10_000


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a source did.

    Attributes:
        source: Which.
        taken: Rows that became items.
        rejected: Rows that were taken and cannot be read.
        batch: Key of the batch that has them; None: none were taken.
        opened: That batch is new.
        ended: How many rows ended how.
        problem: Why the look could not be finished; None: it was.
        busy: Somebody else looks at it right now: nothing was done.
    """

    source: str
    taken: int = 0
    rejected: int = 0
    batch: str | None = None
    opened: bool = False
    ended: Mapping[RowEnd, int] = field(default_factory=dict)
    problem: str | None = None
    busy: bool = False

    def sentence(self) -> str:
        """What happened, for a log."""
        if self.busy:
            return f"{self.source}: somebody else looks at it"
        ends = ", ".join(f"{count} {end.value}" for end, count in self.ended.items())
        said = [f"{self.taken} rows taken"] if self.batch else []
        said += [f"{self.rejected} rejected"] if self.rejected else []
        said += [f"rows ended: {ends}"] if ends else []
        said += [self.problem] if self.problem else []
        return f"{self.source}: {'; '.join(said) or 'nothing new'}"


def look_at(
    hq: Hq,
    settings: Settings,
    source: Source,
    *,
    actor: Actor,
    add_partition: Callable[[str], None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Look:
    """Write back what is through of a source, then take what is new. What keeps it from that is kept with the source.

    Args:
        hq: The databases.
        settings: The installation.
        source: Which.
        actor: Who looks; of rows that are taken it is kept.
        add_partition: Tells Dagster of a new batch; default: the sequencer does.
        environment: Where keys are looked for; default `os.environ`.

    Raises:
        InfrastructureError: HQ cannot be reached, or the workspace.
    """
    look = Look(source.name)
    try:
        with _looking(hq, source) as connection:
            if connection is None:
                return replace(look, busy=True)
            ended = _write_back(hq, connection, source)
            held = store.held_back(connection, source.id)
        _forget(hq, [token for token, _ in ended.rows])
        waits = None if held is None else f"{held[0]:,} rows have ended and are not in their tables: {held[1]}"
        look = replace(look, ended=Counter(end for _, end in ended.rows), problem=ended.problem or waits)
        if source.paused_at is None:
            ready = make_ready(hq, settings, source.client, source.pipeline)
            with _looking(hq, source) as connection:
                if connection is None:
                    return replace(look, busy=True)
                done = _take(hq, connection, settings, source, ready, actor, environment)
            look = _with_rows(hq, look, done, add_partition)
    except InfrastructureError:
        raise
    except (EnrichError, psycopg.Error) as error:
        look = replace(look, problem=said_of(error))
    with hq.transaction() as connection:
        every = source.definition.every
        store.note_look(connection, source.id, every, look.problem, done=look.problem is None)
    return look


def look_at_due(hq: Hq, settings: Settings, names: Sequence[str], seconds: float, *, actor: Actor) -> Iterator[Look]:
    """Look at sources one after another; what is left after so many seconds waits for the next time."""
    until = time.monotonic() + seconds
    for name in names:
        if time.monotonic() >= until:
            return
        with hq.transaction() as connection:
            source = store.find_source(connection, name)
        if source is not None:
            yield look_at(hq, settings, source, actor=actor)


@contextmanager
def _looking(hq: Hq, source: Source) -> Iterator[Connection | None]:
    """A transaction in which nobody else looks at the source; None: somebody else does."""
    with registry(hq) as connection:
        yield connection if store.lock_look(connection, source.id) else None


@dataclass(frozen=True, slots=True)
class _Ended:
    """Tokens of rows that ended, with their ends, and why others could not be written."""

    rows: Sequence[tuple[UUID, RowEnd]] = ()
    problem: str | None = None


# crash point: finished-rows-are-written-back
def _write_back(hq: Hq, connection: Connection, source: Source) -> _Ended:
    """Tell the table of rows that are through, and note how they ended."""
    endings = store.endings(connection, source.id)
    if not endings:
        return _Ended()
    with hq.workspace.transaction() as workspace:
        writer = _Writer(workspace, usable(workspace, source.definition), source.definition)
        for failed in (False, True):
            writer.write([one for one in endings if one.key is not None and one.failed is failed], failed=failed)
    ends = [(one, end) for one in endings if (end := writer.end_of(one)) is not None]
    store.end_rows(connection, [(one.id, end, one.reason) for one, end in ends])
    return _Ended([(one.token, end) for one, end in ends], writer.problem)


class _Writer:
    """Writes rows back together; where one of them cannot be written, the others are all the same."""

    def __init__(self, workspace: Connection, table: UserTable, definition: TableSource) -> None:
        self._workspace, self._table, self._definition = workspace, table, definition
        self._written: dict[str, bool] = {}
        self._waiting: set[str] = set()
        self.problem: str | None = None

    def write(self, rows: Sequence[Ending], *, failed: bool) -> None:
        """Write rows; halves of them by themselves where the table refuses something of them."""
        if not rows:
            return
        assigned = self._definition.failed if failed else self._definition.done
        given = [(one.token, one.key or "", one.reason) for one in rows]
        try:
            with self._workspace.transaction():
                done = user_tables.write_back(self._workspace, self._table, self._definition, assigned, given)
            self._written |= done.written
            self._waiting |= done.busy
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise
        except psycopg.Error as error:  # a check, a policy, or whatever a trigger of theirs raises
            if len(rows) == 1:
                self._waiting.add(given[0][1])
                self.problem = f"rows cannot be written back: {described(error)}"
                return
            middle = len(rows) // 2
            self.write(rows[:middle], failed=failed)
            self.write(rows[middle:], failed=failed)

    def end_of(self, row: Ending) -> RowEnd | None:
        """How a row ended; None: it has not, for its table refuses what it is to be told, or somebody holds it."""
        if row.key in self._waiting:
            return None
        if row.key is None or row.key not in self._written:
            return RowEnd.GONE
        if not self._written[row.key]:
            return RowEnd.CHANGED
        return RowEnd.FAILED if row.failed else RowEnd.DONE


def _forget(hq: Hq, tokens: list[UUID]) -> None:
    """What the workspace knew of rows that HQ has noted can go; killed before this, it stays and does no harm."""
    if tokens:
        with hq.workspace.transaction() as workspace:
            user_tables.forget_tokens(workspace, tokens)


@dataclass(frozen=True, slots=True)
class _Taken:
    gathered: Gathered
    rows: int


# crash point: new-rows-are-taken
def _take(
    hq: Hq,
    connection: Connection,
    settings: Settings,
    source: Source,
    ready: Ready,
    actor: Actor,
    environment: Mapping[str, str] | None,
) -> _Taken | None:
    """Claim rows that match and are not under way, and make items of them; None: there are none."""
    definition = source.definition
    taken = store.taken_keys(connection, source.id)
    with hq.workspace.transaction() as workspace:
        table = usable(workspace, definition)
        rows = user_tables.read_rows(workspace, table, definition, taken)
    if not rows:
        return None
    into = into_of(source)
    incoming = Incoming(table.cells, [row.cells for row in rows])
    done = gather(connection, settings, into, incoming, ready, environment=environment)
    pairs = enumerate(zip(rows, done.items, strict=True))
    claims = [(row.key, item, done.rejections.get(at)) for at, (row, item) in pairs]
    store.claim_rows(connection, source.id, source.client_id, done.batch_id, claims)
    note_action(
        connection,
        actor,
        Code.SOURCE_TAKE,
        source.name,
        client_id=source.client_id,
        batch_id=done.batch_id,
        after={"rows": len(rows), "rejected": len(done.rejections), "opened": done.opened},
    )
    return _Taken(done, len(rows))


def into_of(source: Source) -> Into:
    """Where the rows of a source go."""
    definition = source.definition
    return Into(source.client, source.pipeline, source.name, "table", definition.gather, dict(definition.mapping))


def _with_rows(hq: Hq, look: Look, done: _Taken | None, add_partition: Callable[[str], None] | None) -> Look:
    if done is None:
        return look
    gathered = done.gathered
    if gathered.opened and add_partition is not None:
        add_partition(gathered.batch_key)
    if done.rows >= _ANALYZE_FROM:
        with hq.transaction() as connection:
            items_store.analyze(connection)
    rejected = len(gathered.rejections)
    return replace(
        look, taken=done.rows - rejected, rejected=rejected, batch=gathered.batch_key, opened=gathered.opened
    )
