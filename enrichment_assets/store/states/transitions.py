"""How a workflow state moves: the only module that writes `workflow_states`.

A state ends with an answer, a reused answer, another item's answer, an operator's word or a new reading of a stored
answer. Each of these has a statement of its own, which says in a CTE `ends` what ends and how. All of them go on with
`ending()`: state, result, completion and log move together, by the same rules. The same holds for states that become
PENDING again (`reopening()`). So a new column of a state is one edit.

The text of these statements is constant: every value travels as a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.deliveries import DELIVERY_POSITION
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.statuses import LIFTED_BY_AN_ANSWER, SkipReason
from enrichment_assets.store.database import Connection

_ENDS = {
    "item_id": "bigint",
    "slug": "text",
    "client_id": "bigint",
    "batch_id": "bigint",
    "status": "text",
    "outcome": "text",
    "reason": "text",
    "error_class": "text",
    "provider": "text",
    "call_id": "bigint",
    "result_id": "bigint",
    "own": "boolean",
    "payload": "text",
    "fields": "text",
    "rejected": "text",
    "citations": "text",
    "fetched_at": "timestamptz",
    "booked": "numeric",
    "attempts": "int4",
    "http_status": "int4",
    "duration_ms": "int4",
    "retry_in": "float8",
    "deadline_in": "float8",
    "poll_in": "float8",
    "step_number": "int4",
    "company_key": "text",
    "logged": "boolean",
    "message": "text",
}
"""Columns of a CTE `ends`, one row per (item, workflow):

- `status`, `outcome`, `reason`, `error_class`: what the state says from now on.
- `result_id`: its result, where it is COMPLETED; with `own` the row is written under this id, from `payload`, `fields`,
  `rejected`, `citations` (JSON texts) and `fetched_at` (null: now). `RESULT_ID` makes the id.
- `booked`: money that is added to the state's cost. `attempts`: null leaves the number as it is.
- `retry_in`, `deadline_in`, `poll_in`: seconds from now; a state that stays IN_PROGRESS keeps a deadline it has.
- `logged`: false keeps it out of the log; `message`: what the log says, null: the reason.
"""

RESULT_ID = "coalesce(e.id, nextval(pg_get_serial_sequence('enrichment_results', 'id')))"
"""Id of an item's own result: that of its present row, joined as `e`, else a new one."""


def ends(relation: str, same: str, expressions: Mapping[str, str]) -> str:
    """The select list of a CTE `ends`.

    Args:
        relation: What the statement selects from, by its alias.
        same: Names of columns that `relation` has by the names they have here, with spaces between.
        expressions: SQL expressions of others, by column. What is in neither is null (`own` false, `logged` true).
    """
    taken = {name: f"{relation}.{name}" for name in same.split()}
    given = {"own": "false", "logged": "true", **taken, **expressions}
    unknown = set(given) - set(_ENDS)
    assert not unknown, unknown  # noqa: S101 - called while modules are loaded, with constants
    return ", ".join(f"{given.get(name, f'null::{kind}')} as {name}" for name, kind in _ENDS.items())


def ending(movable: str, *, ended: bool = False) -> str:
    """CTEs over `ends`: `moved` (its rows whose state moved), `saved`, `completed`, `logged`.

    Args:
        movable: SQL condition on the state `s` and its row `d` of `ends`: what stands otherwise does not move, and
            nothing of it is written.
        ended: States that have a result may lose it; then their result and completion go too.

    A state that is asked anew has its earlier result until another answer is there: what only goes on, fails or is
    skipped takes none away.
    """
    result = "d.result_id" if ended else "case when d.status = 'COMPLETED' then d.result_id else s.result_id end"
    return f"""moved as (
  update workflow_states s
  set status = d.status, outcome = d.outcome, reason = d.reason, error_class = d.error_class,
      attempts = greatest(s.attempts, d.attempts), cost = s.cost + coalesce(d.booked, 0),
      call_id = coalesce(d.call_id, s.call_id), result_id = {result},
      next_attempt_at = clock_timestamp() + make_interval(secs => d.retry_in),
      deadline_at = case when d.status = 'IN_PROGRESS' then
                      coalesce(clock_timestamp() + make_interval(secs => d.deadline_in), s.deadline_at) end,
      next_poll_at = clock_timestamp() + make_interval(secs => d.poll_in),
      advanced_at = case when s.status = d.status then s.advanced_at else clock_timestamp() end,
      stored_at = null
  from ends d
  where s.item_id = d.item_id and s.workflow_slug = d.slug and {movable}
  returning d.*, s.attempts as attempt
), saved as (
  insert into enrichment_results (id, client_id, batch_id, item_id, workflow_slug, provider, call_id, outcome, payload,
                                  fields, rejected, citations, fetched_at)
  overriding system value
  select result_id, client_id, batch_id, item_id, slug, provider, call_id, outcome, payload::jsonb, fields::jsonb,
         rejected::jsonb, citations::jsonb, coalesce(fetched_at, clock_timestamp())
  from moved where own
  on conflict (item_id, workflow_slug) do update
  set provider = excluded.provider, call_id = excluded.call_id, outcome = excluded.outcome,
      payload = excluded.payload, fields = excluded.fields, rejected = excluded.rejected,
      citations = excluded.citations,
      fetched_at = excluded.fetched_at
), completed as (
  insert into company_play_step_completions (item_id, workflow_slug, client_id, batch_id, company_key,
                                             overall_step_number)
  select item_id, slug, client_id, batch_id, company_key, step_number
  from moved where status = 'COMPLETED'
    and not exists (select 1 from batches b where b.id = moved.batch_id and b.is_try)  -- nobody has played a try
  on conflict (item_id, workflow_slug) do nothing
), {_TAKEN_BACK if ended else ""}logged as (
  insert into enrichment_results_log (client_id, batch_id, item_id, workflow_slug, provider, call_id, attempt, status,
                                      outcome, error_class, message, http_status, cost, duration_ms)
  select client_id, batch_id, item_id, slug, provider, call_id, coalesce(attempts, attempt), status, outcome,
         error_class, coalesce(message, reason), http_status, booked, duration_ms
  from moved where logged
)"""


_TAKEN_BACK = """dropped as (
  delete from enrichment_results r using moved m
  where m.status <> 'COMPLETED' and r.item_id = m.item_id and r.workflow_slug = m.slug
), uncompleted as (
  delete from company_play_step_completions p using moved m
  where m.status <> 'COMPLETED' and p.item_id = m.item_id and p.workflow_slug = m.slug
), """


_UNCOMPLETED = """undone as (
  delete from company_play_step_completions p using reopened o
  where p.item_id = o.item_id and p.workflow_slug = o.workflow_slug
), """


def reopening(condition: str, *, anew: bool = False) -> str:
    """CTEs `reopened` and `relogged`: states become PENDING with all their attempts before them, and the log says so.

    Args:
        condition: SQL condition on the state `s` and its row `r` (item_id, slug, provider) of a CTE `again`. The log's
            message is the parameter `message`.
        anew: They had an answer, and are asked by a call of another key; nothing is completed until that has come, and
            the result is the earlier one until then.
    """
    counted = ", asked_again = s.asked_again + 1" if anew else ""
    return f"""reopened as (
  update workflow_states s
  set status = 'PENDING', outcome = null, reason = null, error_class = null, attempts = 0,
      next_attempt_at = null, deadline_at = null, next_poll_at = null, stored_at = null,
      advanced_at = clock_timestamp(){counted}
  from again r
  where s.item_id = r.item_id and s.workflow_slug = r.slug and {condition}
  returning s.client_id, s.batch_id, s.item_id, s.workflow_slug, s.call_id, r.provider
), {_UNCOMPLETED if anew else ""}relogged as (
  insert into enrichment_results_log (client_id, batch_id, item_id, workflow_slug, provider, call_id, attempt, status,
                                      message)
  select client_id, batch_id, item_id, workflow_slug, provider, call_id, 0, 'PENDING', %(message)s from reopened
)"""


OF_STEPS = f"s.position < {DELIVERY_POSITION}"
"""Condition on a state `s` of a step of the pipeline. Others are of deliveries, which nothing of a batch waits for."""

WANTED_AN_ANSWER = "s.status = 'SKIPPED' and split_part(s.reason, ':', 1) in ({})".format(
    ", ".join(f"'{reason.value}'" for reason in LIFTED_BY_AN_ANSWER)
)
"""Condition on a state that was skipped for want of an answer of an earlier step."""

WANTED_MONEY = f"s.status = 'SKIPPED' and split_part(s.reason, ':', 1) = '{SkipReason.BUDGET.value}'"
"""Condition on a state that was skipped because a budget was exhausted."""

ANSWERED = "an earlier step has an answer now"
"""What the log says about a step that was skipped for want of an answer and is PENDING again."""


@dataclass(frozen=True, slots=True)
class StepFacts:
    """What statements know of a blueprint's steps.

    Attributes:
        providers: Provider by workflow slug; the log names it.
        numbers: `overall_step_number` by workflow slug; completions name it.
        dependents: (workflow slug, slug of a step that comes after it, directly or not).
    """

    providers: Mapping[str, str]
    numbers: Mapping[str, int]
    dependents: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, blueprint: Blueprint) -> StepFacts:
        """The facts of a batch's blueprint."""
        slugs = [step.slug for step in blueprint.steps]
        return cls(
            providers={step.slug: step.workflow.provider for step in blueprint.steps},
            numbers={step.slug: step.workflow.step for step in blueprint.steps},
            dependents=tuple(blueprint.dependent_pairs(slugs)),
        )

    def parameters(self) -> dict[str, list[Any]]:
        """The parameters of `STEPS` and `DEPENDENTS`."""
        return {
            "steps": list(self.providers),
            "providers": list(self.providers.values()),
            "numbers": [self.numbers[slug] for slug in self.providers],
            "before": [slug for slug, _ in self.dependents],
            "after": [slug for _, slug in self.dependents],
        }


STEPS = "unnest(%(steps)s::text[], %(providers)s::text[], %(numbers)s::int4[]) as f(slug, provider, number)"
"""The blueprint's steps, as `f`."""

DEPENDENTS = "unnest(%(before)s::text[], %(after)s::text[]) as o(before, after)"
"""Pairs of steps of the blueprint, as `o`: `after` comes after `before`."""


def laying_out(rows: str) -> str:
    """The insert of states that begin: `rows` selects (item_id, slug, batch_id, client_id, position, status, reason).

    A state that is there stays as it is.
    """
    return f"""insert into workflow_states (item_id, workflow_slug, batch_id, client_id, position, status, reason)
  {rows}
  on conflict (item_id, workflow_slug) do nothing"""


def planning(rows: str) -> str:
    """The insert of states of leads that are to go somewhere, or are not; one that is there begins anew.

    `rows` selects (item_id, slug, batch_id, client_id, position, status, reason, next_attempt_at, advanced_at).
    """
    return f"""insert into workflow_states (item_id, workflow_slug, batch_id, client_id, position, status, reason,
                             next_attempt_at, advanced_at)
  {rows}
  on conflict (item_id, workflow_slug) do update
  set status = excluded.status, reason = excluded.reason, position = excluded.position, outcome = null,
      error_class = null, attempts = 0, result_id = null, next_attempt_at = excluded.next_attempt_at,
      deadline_at = null, next_poll_at = null, stored_at = null, advanced_at = excluded.advanced_at"""


def looking_at(moment: str, rows: str) -> str:
    """The update by which PENDING states are looked at again at a moment; others stay as they are.

    `rows` has (item_id, workflow_slug), and is `g` to `moment`.
    """
    return f"""update workflow_states s set next_attempt_at = {moment}
  from {rows} g where s.item_id = g.item_id and s.workflow_slug = g.workflow_slug and s.status = 'PENDING'"""


def inheriting(rows: str) -> str:
    """The insert of states that begin with another item's answer.

    `rows` selects (item_id, slug, batch_id, client_id, position, status, outcome, reason, result_id).
    """
    return f"""insert into workflow_states (item_id, workflow_slug, batch_id, client_id, position, status, outcome,
                             reason, result_id)
  {rows}
  on conflict (item_id, workflow_slug) do nothing"""


# crash point: states-are-marked-stored
def mark_stored(connection: Connection, workflow_slug: str, stored: Sequence[tuple[int, Any]]) -> None:
    """Note that results (item id, fetched_at) reached their destination; one that changed since does not count."""
    connection.execute(
        """
        update workflow_states s set stored_at = clock_timestamp()
        from unnest(%s::bigint[], %s::timestamptz[]) as d(item_id, fetched_at)
        join workflow_states w on w.item_id = d.item_id and w.workflow_slug = %s
        join enrichment_results r on r.id = w.result_id and r.fetched_at = d.fetched_at
        where s.item_id = d.item_id and s.workflow_slug = w.workflow_slug
        """,
        ([item for item, _ in stored], [fetched for _, fetched in stored], workflow_slug),
    )


def wake(connection: Connection, item_ids: Sequence[int]) -> int:
    """Have leads looked at that wait for what a person does at a destination (`follows`); how many. The caller commits.

    What came back of them may be it; whether it is, their turn finds out.
    """
    return connection.execute(
        """
        with woken as (
          update workflow_states s set next_attempt_at = clock_timestamp()
          from planned_deliveries p
          join batch_deliveries b on b.batch_id = p.batch_id and b.workflow_slug = p.workflow_slug
          where p.item_id = any(%s::bigint[]) and s.item_id = p.item_id and s.workflow_slug = p.workflow_slug
            and s.status = 'PENDING'
            and (b.step #>> '{workflow,delivery,follows,event}' is not null
                 or jsonb_array_length(coalesce(b.step #> '{workflow,delivery,follows,status}', '[]')) > 0)
          returning s.batch_id, s.workflow_slug
        ), due as (
          update batch_deliveries b set resume_at = least(b.resume_at, clock_timestamp())
          from (select distinct batch_id, workflow_slug from woken) w
          where b.batch_id = w.batch_id and b.workflow_slug = w.workflow_slug
        )
        select from woken
        """,
        (list(item_ids),),
    ).rowcount


def forget(connection: Connection, batch_id: int) -> None:
    """Delete the states of a batch that never called anybody, and what moved with them."""
    for statement in _FORGET:
        connection.execute(statement, (batch_id,))


_FORGET = (
    "delete from workflow_states where batch_id = %s",
    "delete from enrichment_results where batch_id = %s",
    "delete from enrichment_results_log where batch_id = %s",
    "delete from company_play_step_completions where batch_id = %s",
)
