"""In which order the database committed: a cancellation against intents, a no against what was asked about that person.

Triggers of the suite note under which transaction an intent, a hold or a suppression was written; the server keeps when
it committed (`track_commit_timestamp`). It takes that time before it lets the transaction's locks go, so that of two
that exclude each other the later one has the later time, whoever of the processes lived to see it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import psycopg

from enrichment_assets.store.database import connect

if TYPE_CHECKING:
    from tests.chaos.crash_harness import CrashHarness

_NOTED = """
create schema noted;
create table noted.intents (batch_id bigint, item_id bigint, workflow text, by xid8 default pg_current_xact_id());
create table noted.holds (batch_id bigint, holds jsonb, by xid8 default pg_current_xact_id());
create table noted.suppressions (hash bytea, by xid8 default pg_current_xact_id());
create function noted.intent() returns trigger language plpgsql as $$ begin
  insert into noted.intents values (new.batch_id, new.item_id, new.workflow_slug); return null; end $$;
create function noted.hold() returns trigger language plpgsql as $$ begin
  insert into noted.holds values (new.id, new.holds); return null; end $$;
create function noted.suppression() returns trigger language plpgsql as $$ begin
  insert into noted.suppressions values (new.hash); return null; end $$;
create trigger noted_intent after insert on provider_calls for each row
  when (new.state = 'intent') execute function noted.intent();
create trigger noted_repeat after update on provider_calls for each row
  when (new.state = 'intent' and old.state <> 'intent') execute function noted.intent();
create trigger noted_hold after update of holds on batches for each row
  when (new.holds is distinct from old.holds) execute function noted.hold();
create trigger noted_suppression after insert on suppressions for each row execute function noted.suppression();
"""

_ASKED_WHILE_HELD = """
with held as (
  select h.batch_id, h.holds, pg_xact_commit_timestamp(h.by::xid) as since,
         lead(pg_xact_commit_timestamp(h.by::xid)) over (
           partition by h.batch_id order by pg_xact_commit_timestamp(h.by::xid)) as until
  from noted.holds h
)
select b.batch_key, i.item_id, i.workflow, held.since, a.at
from noted.intents i
cross join lateral (select pg_xact_commit_timestamp(i.by::xid) as at) a
join held on held.batch_id = i.batch_id and held.holds ?| array['*', i.workflow]
  and a.at > held.since and (held.until is null or a.at < held.until)
join batches b on b.id = i.batch_id
where b.batch_key = %s
"""

_ASKED_AFTER_A_NO = """
select i.item_id, i.workflow, s.since, a.at
from noted.intents i
cross join lateral (select pg_xact_commit_timestamp(i.by::xid) as at) a
join (select pg_xact_commit_timestamp(by::xid) as since from noted.suppressions where hash = %s) s on a.at > s.since
where i.item_id = %s and not i.workflow = any(%s::text[])
"""


def note_commits(hq_url: str) -> None:
    """Let the database note what `asked_while_held` and `asked_after_a_no` read. Once, after the migrations."""
    with psycopg.connect(hq_url) as connection:
        connection.execute(_NOTED)


def asked_while_held(harness: CrashHarness, batch: str) -> list[str]:
    """Intents that were committed while the batch, or their step, was paused or cancelled: none."""
    return [f"asked while held: {row}" for row in harness.rows(_ASKED_WHILE_HELD, batch)]


def asked_after_a_no(
    harness: CrashHarness, noes: Iterable[tuple[int, bytes]], of_companies: Iterable[str]
) -> list[str]:
    """Intents about persons that were committed after their no: none.

    Args:
        harness: Whose database noted them.
        noes: Item and the hash of its person's identity.
        of_companies: Workflows that ask about the company, which has not said no.
    """
    apart = list(of_companies)
    with connect(harness.settings.hq_database_url or "") as hq:
        return [
            f"asked after a no: {row}"
            for item, hashed in noes
            for row in hq.execute(_ASKED_AFTER_A_NO, (hashed, item, apart)).fetchall()
        ]
