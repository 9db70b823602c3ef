"""What the warehouse knows behind the leads of a batch, read beside them in their order: a batch may have a million."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from enrichment_assets.domain.gate.judging import Evidence, SaidName
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import open_warehouse

if TYPE_CHECKING:
    import duckdb

AT_ONCE = 5_000

# Behind `http`, `clay` and `n8n` any service may be: there a workflow is a provider of its own.
_QUESTION = """
with leads as (
  select item_id, lower(trim(email)) as key, first_name, last_name, full_name from final_leads
  where batch_key = $batch and ($items is null or list_contains($items, item_id))
), said as (
  select r.item_id, r.source_workflow, r.source_kind, r.role, r.rejected_reason, r.verdict, r.fetched_at,
         case when r.source_provider in ('http', 'clay', 'n8n') then r.source_workflow
              else coalesce(r.source_provider, r.source_workflow) end as who
  from stg_contact_records r join leads l on l.item_id = r.item_id and l.key = r.key
  where r.batch_key = $batch and r.field = 'email'
), addresses as (
  select item_id,
         list(distinct who) filter (where source_kind = 'workflow' and role <> 'verdict' and rejected_reason is null)
           as givers,
         list(distinct source_workflow) filter (
           where source_kind = 'workflow' and role <> 'verdict' and rejected_reason is null) as workflows,
         list(distinct who) filter (where source_kind = 'workflow' and verdict = 'valid') as sayers,
         max(fetched_at) as heard_at
  from said group by item_id
), sources as (
  select item_id, unnest(workflows) as workflow from addresses where workflows is not null
), called as (
  select v.item_id, coalesce(v.source_workflow, 'upload') as source,
         max(v.value) filter (where v.field = 'first_name') as first,
         max(v.value) filter (where v.field = 'last_name') as last,
         max(v.value) filter (where v.field = 'full_name') as "full"
  from lead_values v left join sources s on s.item_id = v.item_id and s.workflow = v.source_workflow
  where v.batch_key = $batch and v.field in ('first_name', 'last_name', 'full_name')
    and v.item_id in (select item_id from leads) and (v.source_kind = 'upload' or s.item_id is not null)
  group by all
), names as (
  -- What is written as the lead's own name needs no second look.
  select c.item_id, list({'source': source, 'first': first, 'last': last, 'full': "full"} order by source) as names
  from called c join leads l on l.item_id = c.item_id
  where coalesce(c.first, l.first_name) is distinct from l.first_name
    or coalesce(c.last, l.last_name) is distinct from l.last_name
    or coalesce(c."full", l.full_name) is distinct from l.full_name
  group by c.item_id
), elsewhere as (
  select v.item_id, list(distinct v.source_workflow order by v.source_workflow) as elsewhere
  from lead_values v join sources s on s.item_id = v.item_id and s.workflow = v.source_workflow
  where v.batch_key = $batch and v.verdict = 'other_company' and v.field in ('company_name', 'company_domain')
  group by v.item_id
), shown as (
  select item_id,
         bool_or(field in ('first_name', 'last_name', 'full_name') and source_kind = 'human') as by_hand,
         max(value) filter (where field = 'is_active') as is_active,
         max(try_cast(value as timestamptz)) filter (where field = 'last_verified') as verified_at,
         max(fetched_at) filter (where field in ('email', 'linkedin_url')) as given_at
  from final_leads_provenance
  where batch_key = $batch and item_id in (select item_id from leads)
    and field in ('first_name', 'last_name', 'full_name', 'is_active', 'last_verified', 'email', 'linkedin_url')
  group by item_id
), jobs as (
  select item_id,
         list(distinct organisation_name_key) filter (where is_current) as current,
         list(distinct organisation_name_key) filter (where not is_current) as ended
  from person_work_history
  where batch_key = $batch and organisation_name_key is not null and item_id in (select item_id from leads)
  group by item_id
)
select l.item_id, a.givers, a.sayers, n.names, e.elsewhere, coalesce(s.by_hand, false), j.current, j.ended, s.is_active,
       epoch_ms(greatest(a.heard_at, s.verified_at, s.given_at))
from leads l
left join addresses a on a.item_id = l.item_id
left join names n on n.item_id = l.item_id
left join elsewhere e on e.item_id = l.item_id
left join shown s on s.item_id = l.item_id
left join jobs j on j.item_id = l.item_id
order by l.item_id
"""


class EvidenceReader:
    """Reads the evidence of a batch's leads, asked for in the order of their items; `with` closes it.

    Nothing is read before the first lead is asked for. `only`: no other items are asked for.
    """

    def __init__(self, settings: Settings, client: str, batch_key: str, only: Collection[int] | None = None) -> None:
        self._settings, self._client, self._batch_key = settings, client, batch_key
        self._only = None if only is None else sorted(only)
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._rows: Iterator[tuple[Any, ...]] = iter(())
        self._next: tuple[Any, ...] | None = None
        self._last = -1

    def of(self, items: Sequence[int]) -> Mapping[int, Evidence]:
        """Item -> what is known behind it; of one that the warehouse does not have, nothing."""
        if not items:
            return {}
        wanted, last = set(items), max(items)
        if self._connection is None or min(wanted) <= self._last:
            self._begin()
        found = {}
        while self._next is not None and self._next[0] <= last:
            if self._next[0] in wanted:
                found[self._next[0]] = _evidence(self._next)
            self._next = next(self._rows, None)
        self._last = last
        return found

    def close(self) -> None:
        """Let go of the files."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        """Nothing is opened yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _begin(self) -> None:
        self.close()
        connection = open_warehouse(
            self._settings, client_slug=self._client, batch_key=self._batch_key, question=_QUESTION
        )
        self._connection = connection
        self._rows = _fetched(connection.execute(_QUESTION, {"batch": self._batch_key, "items": self._only}))
        self._next = next(self._rows, None)


def _fetched(found: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while rows := found.fetchmany(AT_ONCE):
        yield from rows


def _evidence(row: tuple[Any, ...]) -> Evidence:
    _, givers, sayers, names, elsewhere, by_hand, current, ended, is_active, heard = row
    return Evidence(
        _set(givers),
        _set(sayers),
        tuple(SaidName(one["source"], one["first"], one["last"], one["full"]) for one in names or ()),
        tuple(elsewhere or ()),
        by_hand,
        _set(current),
        _set(ended),
        None if is_active is None else is_active == "true",
        None if heard is None else datetime.fromtimestamp(heard / 1000).astimezone(),
    )


def _set(values: Iterable[str] | None) -> frozenset[str]:
    return frozenset(values) if values else frozenset()
