"""Taking the bodies out of old answers, callbacks and what came back; what they cost, said and became stays.

What somebody may still need is not looked at: an answer of a batch that is under way or whose tables are not made, of a
call that has not settled, of a state that waits or is of unknown fate, one that a launch may still reuse, and every
callback that was not applied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from enrichment_assets.store.database import Connection

CHUNK = 2_000
"""Bodies taken out in one statement."""

_SETTLED = """
  b.finished_at < statement_timestamp() - make_interval(days => %(days)s)
  and (b.extracted_at >= b.finished_at or b.retired_at is not null or b.is_try)
  and c.state in ('applied', 'failed')
  and coalesce(c.received_at, c.sent_at, c.created_at) < statement_timestamp() - greatest(
        make_interval(days => %(days)s),
        make_interval(secs => coalesce((%(windows)s::jsonb ->> c.workflow_slug)::float8, 0)))
  and not exists (select 1 from callback_inbox n where n.call_id = c.id and n.status in ('new', 'dead'))
  and not exists (select 1 from workflow_states s
                  where s.call_id = c.id and s.status in ('PENDING', 'IN_PROGRESS', 'AMBIGUOUS'))
"""
"""What holds of a call `c` of a batch `b` whose bodies nobody needs any more."""

_OLD_ANSWERS = f"""
from provider_calls c join batches b on b.id = c.batch_id where c.response_body is not null and {_SETTLED}
"""

_OLD_BULK = f"""
from bulk_calls m join batches b on b.id = m.batch_id
where m.response_body is not null
  and not exists (select 1 from provider_calls c where c.id = any(m.call_ids) and ({_SETTLED}) is not true)
"""
"""Answers that were given to several calls at once: needed by nobody when none of these calls needs them."""

_OLD_CALLBACKS = f"""
from callback_inbox i join provider_calls c on c.id = i.call_id join batches b on b.id = i.batch_id
where i.body is not null and i.status in ('applied', 'superseded')
  and i.received_at < statement_timestamp() - greatest(
        make_interval(days => %(days)s),
        make_interval(secs => coalesce((%(windows)s::jsonb ->> c.workflow_slug)::float8, 0)))
  and {_SETTLED}
  and (i.bulk_id is null or not exists (
    select 1 from bulk_calls m join provider_calls c on c.id = any(m.call_ids)
    where m.id = i.bulk_id and ({_SETTLED}) is not true))
"""
"""One that answers many calls has its bytes in the row of the first: they stay as long as any of these needs them."""

_OLD_PROMPTS = f"""
from prompt_inputs p join provider_calls c on c.id = p.call_id join batches b on b.id = c.batch_id
where p.inputs is not null and {_SETTLED}
"""
"""What language models were asked about: without it their answers cannot be read again."""

_OLD_MESSAGES = """
from event_inbox i
where i.body is not null and i.status = 'read'
  and i.received_at < statement_timestamp() - make_interval(days => %(days)s)
"""
"""What came back of deliveries, mails among it: its events are kept. One that could not be read is still needed."""

_COUNT = "select count(*) as bodies, coalesce(sum(octet_length({body})), 0)::bigint as bytes {old}"


def _take(table: str, row: str, body: str, old: str, hashed: str = "", key: str = "id") -> str:
    """A statement that takes a chunk of old bodies out of a table, whose rows `old` calls `row`, and keeps their size.

    `hashed`: what else is kept of them; `key`: the column that tells rows apart.
    """
    return f"""
with old as (
  select {row}.{key} {old} order by {row}.{key} limit {CHUNK} for update of {row} skip locked
), gone as (
  update {table} {row}
  set body_bytes = octet_length({row}.{body}), {hashed} body_removed_at = clock_timestamp(), {body} = null
  from old where {row}.{key} = old.{key}
  returning {row}.body_bytes
)
select count(*) as bodies, coalesce(sum(body_bytes), 0)::bigint as bytes from gone
"""


_TAKE_ANSWERS = _take("provider_calls", "c", "response_body", _OLD_ANSWERS, "body_sha256 = sha256(c.response_body),")
_TAKE_BULK = _take("bulk_calls", "m", "response_body", _OLD_BULK, "body_sha256 = sha256(m.response_body),")
_TAKE_PROMPTS = _take("prompt_inputs", "p", "inputs", _OLD_PROMPTS, key="call_id")
_TAKE_CALLBACKS = _take("callback_inbox", "i", "body", _OLD_CALLBACKS)
_TAKE_MESSAGES = _take("event_inbox", "i", "body", _OLD_MESSAGES)


@dataclass(frozen=True, slots=True)
class Bodies:
    """How many bodies, and their bytes."""

    bodies: int = 0
    bytes: int = 0

    def __add__(self, other: Bodies) -> Bodies:
        return Bodies(self.bodies + other.bodies, self.bytes + other.bytes)


class Kind(Enum):
    """Whose bodies: how they are counted, and how a chunk of them is taken out."""

    ANSWERS = (_COUNT.format(body="c.response_body", old=_OLD_ANSWERS), _TAKE_ANSWERS)
    BULK = (_COUNT.format(body="m.response_body", old=_OLD_BULK), _TAKE_BULK)
    PROMPTS = (_COUNT.format(body="p.inputs", old=_OLD_PROMPTS), _TAKE_PROMPTS)
    CALLBACKS = (_COUNT.format(body="i.body", old=_OLD_CALLBACKS), _TAKE_CALLBACKS)
    MESSAGES = (_COUNT.format(body="i.body", old=_OLD_MESSAGES), _TAKE_MESSAGES)


def count_bodies(connection: Connection, kind: Kind, days: int, windows: str) -> Bodies:
    """How many bodies older than `days` nobody needs; `windows`: slug -> seconds of reuse, as JSON."""
    return _figures(connection, kind.value[0], days, windows)


def take_bodies(connection: Connection, kind: Kind, days: int, windows: str) -> Bodies:
    """Take out a chunk of them; the caller commits. Nothing: there are no more."""
    return _figures(connection, kind.value[1], days, windows)


def _figures(connection: Connection, statement: str, days: int, windows: str) -> Bodies:
    row = connection.execute(statement, {"days": days, "windows": windows}).fetchone()
    return Bodies() if row is None else Bodies(row["bodies"], row["bytes"])


def reuse_texts(connection: Connection) -> Sequence[Mapping[str, str]]:
    """Every `reuse_for` that a launch or a batch may go by: `slug` and `reuse_for` as it is written."""
    return connection.execute(
        """
        select workflow_slug as slug, definition ->> 'reuse_for' as reuse_for from enrichment_registry
        where definition ->> 'reuse_for' is not null
        union all
        select workflow_slug, settings ->> 'reuse_for' from client_workflow_configs
        where settings ->> 'reuse_for' is not null
        union all
        select e.step -> 'workflow' ->> 'slug', e.step -> 'workflow' ->> 'reuse_for'
        from batches b cross join lateral jsonb_array_elements(b.blueprint -> 'steps') as e(step)
        where b.finished_at is null and e.step -> 'workflow' ->> 'reuse_for' is not null
        """
    ).fetchall()


def bodies_gone(connection: Connection, batch_id: int, workflow: str) -> int:
    """Answers of a step of a batch that cannot be read again, because their bodies were taken out."""
    row = connection.execute(
        """
        select count(*) as gone
        from provider_calls c join provider_calls o on o.id = coalesce(c.reused_from, c.id)
        left join bulk_calls m on m.id = o.bulk_id
        where c.batch_id = %s and c.workflow_slug = %s and c.state in ('applied', 'failed')
          and o.response_body is null and m.response_body is null
          and (o.body_removed_at is not null or m.body_removed_at is not null
               or exists (select 1 from callback_inbox i where i.call_id = o.id and i.body_removed_at is not null))
          and not exists (select 1 from callback_inbox i where i.call_id = o.id and i.body is not null)
        """,
        (batch_id, workflow),
    ).fetchone()
    return 0 if row is None else int(row["gone"])


def batches_not_done(connection: Connection) -> list[str]:
    """Keys of batches that are under way, or whose tables are not made yet."""
    rows = connection.execute(
        "select batch_key from batches where retired_at is null and not is_try "
        "and (finished_at is null or extracted_at is null or extracted_at < finished_at)"
    ).fetchall()
    return [row["batch_key"] for row in rows]
