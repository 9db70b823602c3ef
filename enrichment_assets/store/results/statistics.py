"""Numbers about one batch's work, computed where the rows are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from enrichment_assets.domain.statuses import SpentOn
from enrichment_assets.store.database import Connection
from enrichment_assets.store.states.reasons import ReasonCount, commonest_reasons

_SMALLEST = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class TokensUsed:
    """What the language model of a workflow used in one batch; `input` are all tokens that went in.

    Attributes:
        input, cached_input, cache_write, output: Tokens by kind; the second and third are among the first.
        searches: Web searches.
        untold: Calls that are booked at what was reserved, since no answer says what they used.
    """

    input: int
    cached_input: int
    cache_write: int
    output: int
    searches: int
    untold: int


@dataclass(frozen=True, slots=True)
class WorkflowStatistics:
    """One workflow of one batch.

    Attributes:
        found_rate: Found answers of all answers (found + not found); None without answers.
        success_rate: Answers (a miss is one) of all attempts that ended, failures among them; None without any.
        calls: Attempts that were answered or timed; an answer that was reused is none.
        reused: Answers of other batches that were used instead of a call (`reuse_for`); one for a company's items.
        saved: What those calls would have cost.
        answers: Calls that brought an answer, whatever it was worth.
        accepted: Those whose answer was found and is valid.
        tokens: Of a language model; None: none was asked.
        busy_seconds: First to last attempt.
        spent: What it waited for -> seconds, while it had something to do.
        bottleneck: It held the batch up for longest; where nothing is known of its time, it was busy for longest.
        held_up: What held the batch up there, for how much of the time, and what to change; None: not here.
        errors: Error class -> attempts that ended with it.
        currency: Of `cost` and `saved`.
        reasons: Why its states stand where they stand, the commonest first.
    """

    workflow: str
    provider: str
    found_rate: float | None
    calls: int
    cost: Decimal
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    busy_seconds: float
    errors: Mapping[str, int]
    reused: int = 0
    saved: Decimal = Decimal(0)
    bottleneck: bool = False
    spent: Mapping[SpentOn, float] = field(default_factory=dict)
    held_up: str | None = None
    currency: str = ""
    reasons: tuple[ReasonCount, ...] = ()
    success_rate: float | None = None
    answers: int = 0
    accepted: int = 0
    tokens: TokensUsed | None = None

    @property
    def cost_per_answer(self) -> Decimal | None:
        """Money for each answer; None without any."""
        return _each(self.cost, self.answers)

    @property
    def cost_per_accepted(self) -> Decimal | None:
        """Money for each answer that counts, those that do not count included in the money; None without any."""
        return _each(self.cost, self.accepted)


def _each(cost: Decimal, count: int) -> Decimal | None:
    return (cost / count).quantize(_SMALLEST) if count else None


def workflow_statistics(connection: Connection, batch_id: int) -> list[WorkflowStatistics]:
    """Statistics of every workflow of the batch that has done anything, in blueprint order.

    Which calls were accepted is looked up in a hash: joined, on fresh statistics each call would look at all of them.
    """
    rows = connection.execute(
        """
        with attempts as (
          select workflow_slug, min(provider) as provider,
                 count(*) filter (where outcome = 'found')::float8
                   / nullif(count(*) filter (where outcome is not null), 0) as found_rate,
                 count(*) filter (where outcome is not null)::float8
                   / nullif(count(*) filter (where outcome is not null or status in ('FAILED', 'AMBIGUOUS')), 0)
                   as success_rate,
                 count(*) filter (where call_id is not null and duration_ms is not null) as calls,
                 percentile_cont(0.5) within group (order by duration_ms)
                   filter (where duration_ms is not null) as p50_ms,
                 percentile_cont(0.95) within group (order by duration_ms)
                   filter (where duration_ms is not null) as p95_ms,
                 percentile_cont(0.99) within group (order by duration_ms)
                   filter (where duration_ms is not null) as p99_ms,
                 extract(epoch from max(created_at) - min(created_at))::float8 as busy_seconds
          from enrichment_results_log where batch_id = %(batch)s group by workflow_slug
        ), errors as (
          select workflow_slug, jsonb_object_agg(error_class, attempts) as errors
          from (select workflow_slug, error_class, count(*) as attempts from enrichment_results_log
                where batch_id = %(batch)s and error_class is not null group by workflow_slug, error_class) e
          group by workflow_slug
        ), accepted as materialized (
          select call_id from enrichment_results
          where batch_id = %(batch)s and outcome = 'found' and call_id is not null
        ), money as (
          select c.workflow_slug, sum(c.cost) as cost, count(c.reused_from) as reused,
                 sum(c.estimated_cost) filter (where c.reused_from is not null) as saved,
                 count(*) filter (where c.reused_from is null and c.state in ('applied', 'failed')
                                    and c.http_status between 200 and 299) as answers,
                 count(*) filter (where c.reused_from is null and c.id in (select call_id from accepted)) as accepted,
                 case when count(c.cost_basis) > 0 then jsonb_build_object(
                   'input', coalesce(sum(c.input_tokens), 0), 'cached_input', coalesce(sum(c.cached_input_tokens), 0),
                   'cache_write', coalesce(sum(c.cache_write_tokens), 0), 'output', coalesce(sum(c.output_tokens), 0),
                   'searches', coalesce(sum(c.searches), 0),
                   'untold', count(*) filter (where c.cost_basis = 'reserved')) end as tokens
          from provider_calls c
          where c.batch_id = %(batch)s group by c.workflow_slug
        ), places as (
          select workflow_slug, min(position) as position from workflow_states where batch_id = %(batch)s
          group by workflow_slug
        )
        select a.workflow_slug as workflow, a.provider, a.found_rate, a.success_rate, a.calls,
               coalesce(m.cost, 0) as cost,
               a.p50_ms, a.p95_ms, a.p99_ms, a.busy_seconds, coalesce(e.errors, '{}'::jsonb) as errors,
               coalesce(m.reused, 0) as reused, coalesce(m.saved, 0) as saved,
               coalesce(m.answers, 0) as answers, coalesce(m.accepted, 0) as accepted, m.tokens
        from attempts a join places p using (workflow_slug)
        left join errors e using (workflow_slug) left join money m using (workflow_slug)
        order by p.position
        """,
        {"batch": batch_id},
    ).fetchall()
    found = [
        WorkflowStatistics(**{**row, "tokens": None if row["tokens"] is None else TokensUsed(**row["tokens"])})
        for row in rows
    ]
    reasons = commonest_reasons(connection, batch_id)
    return [replace(s, reasons=tuple(reason for reason in reasons if reason.workflow == s.workflow)) for s in found]
