"""A test per law of DESIGN.md section 6: the law holds, and with its guard taken out the same check finds it broken."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.world import World
from tests.laws.sabotage import BROKEN, Sabotage, find_check, open_nursery, run_without

HELD_LEASE = "join item_leases l on l.item_id = {0}.item_id and l.fence = {0}.fence and l.runner_id = %(runner)s"
ANY_LEASE = "join item_leases l on l.item_id = {0}.item_id"

SABOTAGES = [
    Sabotage(
        1,
        "rows_in_are_rows_out",
        "engine/commit/group_writer.py",
        "except psycopg.DataError as error:",
        "except ZeroDivisionError as error:",
    ),
    Sabotage(
        1,
        "a_row_that_is_lost_between_upload_and_items_is_noticed",
        "services/batches/items.py",
        "if there + created != wanted:",
        "if False:",
    ),
    Sabotage(
        1,
        "an_origin_has_one_child_however_often_it_is_emitted",
        "domain/emission.py",
        'origin_key=f"{workflow}:{_short(',
        'origin_key=f"{workflow}:{parent.item_id}:{_short(',
    ),
    Sabotage(
        1,
        "an_origin_has_one_child_however_often_it_is_emitted",
        "store/batches/fanout.py",
        "on conflict (batch_id, origin_key) do nothing",
        "",
    ),
    Sabotage(
        1,
        "every_child_ends_in_every_step",
        "store/batches/fanout.py",
        "insert into item_leases (item_id, batch_id, fence) select id, %(batch)s, 0 from made",
        "select id from made",
    ),
    Sabotage(
        4,
        "a_stale_fence_emits_nothing",
        "engine/commit/group_transaction.py",
        "(*landed, *taken)",
        "(*applied, *taken)",
    ),
    Sabotage(
        2,
        "acknowledged_is_committed",
        "receiver/door.py",
        "reply = _BY_RECEIPT[await self._sink.submit(callback)]",
        "self._sink.submit(callback).add_done_callback(lambda done: done.exception()); reply = ACCEPTED",
    ),
    Sabotage(
        3,
        "the_intent_is_durable_before_the_request_leaves",
        "engine/calls/call.py",
        "verdict = await _intend(run, item, step, subject, token)",
        'verdict = IntentVerdict(1, True, "intent")',
    ),
    Sabotage(
        3,
        "the_raw_answer_is_kept_before_it_is_read",
        "engine/calls/call.py",
        "stored = await run.writer.receive(",
        "stored = bool(",
    ),
    Sabotage(
        3,
        "an_unknown_fate_is_never_resent",
        "engine/calls/attempt.py",
        "if workflow.free_or_idempotent or workflow.idempotency_header:",
        "if True:",
    ),
    Sabotage(
        3,
        "a_dead_runs_call_is_never_resent",
        "engine/calls/attempt.py",
        "if workflow.free_or_idempotent or workflow.idempotency_header:",
        "if True:",
    ),
    Sabotage(
        3,
        "a_finished_call_is_never_made_again",
        "store/calls/ledger.py",
        "state = 'ready'",
        "state is not null",
    ),
    Sabotage(
        3,
        "a_repeated_call_carries_its_key",
        "engine/calls/call.py",
        "{step.workflow.idempotency_header: subject.key} if step.workflow.idempotency_header else {}",
        "{}",
    ),
    Sabotage(
        3,
        "a_company_is_asked_once",
        "engine/calls/subject.py",
        "if step.workflow.entity is Entity.COMPANY and item.company_key:",
        "if False:",
    ),
    Sabotage(
        3,
        "a_question_is_asked_once",
        "engine/calls/reuse.py",
        "found = await _kept(run, item, step, subject)",
        "found = replace(subject, asked=None)",
    ),
    Sabotage(
        3,
        "a_question_that_failed_is_not_asked_again_for_the_next_row",
        "engine/calls/subject.py",
        'return f"question:{question}" if question else f"item:{item.item_id}"',
        'return f"item:{item.item_id}"',
    ),
    Sabotage(
        3,
        "a_question_is_not_asked_beside_another_batch",
        "store/calls/questions.py",
        "await connection.execute(_TURN, (client_id,))",
        "pass",
    ),
    Sabotage(
        3,
        "a_question_is_not_asked_beside_another_batch",
        "engine/commit/group_transaction.py",
        "[i for i in intents if i.call_key not in elsewhere]",
        "list(intents)",
    ),
    Sabotage(
        3,
        "an_answer_that_came_between_looking_and_asking_is_seen",
        "store/calls/questions.py",
        "where o.under_way or o.call_id is distinct from a.seen",
        "where o.under_way",
    ),
    Sabotage(
        3,
        "a_fresh_batch_waits_for_nobody",
        "engine/calls/subject.py",
        "patience if workflow.reuse_for else None",
        "patience",
    ),
    Sabotage(
        4,
        "a_dead_run_keeps_no_other_batch_waiting",
        "store/calls/questions.py",
        "and r.ended_at is null and r.expires_at > statement_timestamp()",
        "",
    ),
    Sabotage(
        3,
        "a_dead_runs_call_is_repeated_under_its_own_key",
        "store/calls/questions.py",
        "c.state in ('intent', 'received') and (a.keyed or exists (",
        "c.state in ('intent', 'received') and (exists (",
    ),
    Sabotage(
        4,
        "nobody_waits_longer_than_for_a_call_of_its_own",
        "store/calls/questions.py",
        "coalesce(t.age < a.patience, false)",
        "a.patience is not null",
    ),
    Sabotage(
        3,
        "a_call_of_unknown_fate_is_not_replaced_by_a_reused_answer",
        "store/calls/reuse.py",
        "state = 'ready'",
        "state is not null",
    ),
    Sabotage(
        4,
        "a_retired_runner_writes_nothing",
        "engine/commit/group_transaction.py",
        "if not await alive.result():",
        "if False:",
    ),
    Sabotage(4, "a_stale_fence_writes_nothing", "store/calls/ledger.py", HELD_LEASE.format("a"), ANY_LEASE.format("a")),
    Sabotage(4, "a_stale_fence_writes_nothing", "store/calls/ledger.py", HELD_LEASE.format("g"), ANY_LEASE.format("g")),
    Sabotage(4, "a_stale_fence_writes_nothing", "store/calls/ledger.py", HELD_LEASE.format("d"), ANY_LEASE.format("d")),
    Sabotage(4, "a_stale_fence_reuses_nothing", "store/calls/reuse.py", HELD_LEASE.format("a"), ANY_LEASE.format("a")),
    Sabotage(
        4,
        "an_item_that_another_run_holds_is_left_alone",
        "store/runs/claims.py",
        "and (l.runner_id is null\n",
        "and (true or l.runner_id is null\n",
    ),
    Sabotage(
        4,
        "an_item_that_another_run_holds_is_left_alone",
        "engine/run/advance.py",
        "await claims.retire_expired_runners(reader, batch.batch_id)",
        "pass",
    ),
    Sabotage(
        4,
        "a_run_that_was_stopped_past_its_lease_calls_nobody",
        "engine/calls/attempt.py",
        "        self.may_leave()",
        "        pass",
    ),
    Sabotage(
        5,
        "money_adds_up_in_any_order",
        "store/money/budgets.py",
        "account.spent + account.reserved + amount > account.amount",
        "account is None",
    ),
    Sabotage(
        5,
        "money_adds_up_in_any_order",
        "store/money/budgets.py",
        "account.reserved = max(account.reserved - reserved, Decimal(0))",
        "pass",
    ),
    Sabotage(
        5,
        "money_adds_up_in_any_order",
        "store/money/budgets.py",
        "account.spent += spent",
        "pass",
    ),
    Sabotage(
        5,
        "money_adds_up_in_any_order",
        "store/money/budgets.py",
        "binding.reserved += amount",
        "binding.reserved = amount",
    ),
    Sabotage(
        5,
        "money_adds_up_in_any_order",
        "engine/commit/group_transaction.py",
        "if intent.estimated_cost and not verdict.granted:",
        "if False:",
    ),
    Sabotage(
        5,
        "money_adds_up_in_any_order",
        "services/operations/recovery.py",
        "budget_changes.settle_by_hand(connection, batch.client_id, batch.batch_id, returned)",
        "pass",
    ),
    Sabotage(
        5,
        "spend_is_reserved_before_it_is_spent",
        "store/money/budgets.py",
        "account.spent + account.reserved + amount > account.amount",
        "account is None",
    ),
    Sabotage(
        6,
        "tenants_do_not_share_answers",
        "domain/call_keys.py",
        "[batch_key, workflow, version, subject_key]",
        "[workflow, version, subject_key]",
    ),
    Sabotage(
        6, "an_answer_is_never_reused_across_clients", "store/calls/questions.py", "c.client_id = %(client)s", "true"
    ),
    Sabotage(6, "a_client_waits_for_no_other", "store/calls/questions.py", "c.client_id = %(client)s", "true"),
    Sabotage(
        6,
        "a_token_names_its_call_and_outranks_the_payload",
        "store/inbox/callbacks.py",
        "and (token_expires_at is null or token_expires_at > clock_timestamp())",
        "",
    ),
    Sabotage(
        7,
        "a_secret_is_nowhere_but_in_the_request",
        "engine/run/prepared_step.py",
        "{hashlib.sha256(material.encode()).hexdigest()[:16]}",
        "{material}",
    ),
    Sabotage(
        8,
        "a_value_names_where_it_came_from",
        "engine/decisions/outcome.py",
        "result_id=shared.result_id if shared else None,",
        "",
    ),
    Sabotage(
        8,
        "a_reused_answer_says_when_it_was_fetched",
        "store/calls/reuse.py",
        '"fetched_at": "h.answered_at"',
        '"fetched_at": "now()"',
    ),
    Sabotage(
        8,
        "simulated_answers_do_not_reach_a_batch_for_real_providers",
        "engine/calls/subject.py",
        "batch.blueprint.simulated,",
        "",
    ),
    Sabotage(
        9,
        "a_miss_an_error_a_skip_and_an_unknown_fate_are_told_apart",
        "engine/decisions/decision.py",
        "return Decision(Status.FAILED, CallState.FAILED, None, reason",
        "return Decision(Status.COMPLETED, CallState.APPLIED, Outcome.NOT_FOUND, reason",
    ),
    Sabotage(10, "a_workflow_is_only_a_row", "store/results/destinations.py", "if destination.create:", "if False:"),
]


@pytest.mark.parametrize("check", sorted({sabotage.check for sabotage in SABOTAGES}))
def test_the_law_holds(world: World, check: str) -> None:
    find_check(check)(world)


@pytest.fixture(scope="module")
def nursery() -> Iterator[subprocess.Popen[str]]:
    """Where the checks on sabotaged copies are forked."""
    with open_nursery() as process:
        yield process
        assert process.stdin
        process.stdin.close()


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=str)
def test_without_its_guard_the_law_is_found_broken(
    world: World, tmp_path: Path, nursery: subprocess.Popen[str], sabotage: Sabotage
) -> None:
    folder = tmp_path / "sabotaged"
    folder.mkdir()
    found = run_without(sabotage, world, folder, nursery)
    assert found.returncode == BROKEN, f"exit code {found.returncode}: {found.output}"
