"""Every guard of the laws, and what stands in its line once it is out. The guards are marked in the package."""

from __future__ import annotations

from tests.laws.mutants import Mutation

GONE = ""
NEVER = "if False:"

MUTATIONS = [
    Mutation(1, "rows_in_are_rows_out", {"bad-value-ends-no-run": "except ZeroDivisionError as error:"}),
    Mutation(1, "a_row_that_is_lost_between_upload_and_items_is_noticed", {"every-counted-row-is-an-item": NEVER}),
    Mutation(
        1,
        "an_origin_has_one_child_however_often_it_is_emitted",
        {
            "origin-is-the-childs-alone": 'origin_key=f"{workflow}:{parent.item_id}:{_short(key or _natural_key('
            'own, parent, inherits=inherits))}",'
        },
    ),
    Mutation(1, "an_origin_has_one_child_however_often_it_is_emitted", {"one-child-an-origin": GONE}),
    Mutation(1, "every_child_ends_in_every_step", {"children-have-leases": "select id from made"}),
    Mutation(
        4,
        "a_stale_fence_emits_nothing",
        {"emission-needs-its-lease": "emitted = [(r.item_id, r.emission) for r in (*applied, *taken) if r.emission]"},
    ),
    Mutation(
        2,
        "acknowledged_is_committed",
        {
            "acknowledged-after-commit": "self._sink.submit(callback).add_done_callback(lambda done: done.exception());"
            " receipt = Receipt.STORED"
        },
    ),
    Mutation(
        3,
        "the_intent_is_durable_before_the_request_leaves",
        {"intent-before-request": 'verdict = IntentVerdict(1, True, "intent")'},
    ),
    Mutation(3, "the_raw_answer_is_kept_before_it_is_read", {"answer-kept-before-read": "stored = True"}),
    Mutation(3, "a_bulk_call_lists_its_members_before_it_leaves", {"members-are-listed-with-their-intents": "pass"}),
    Mutation(
        4,
        "a_bulk_answer_is_written_by_who_sent_it_and_holds_the_item",
        {"bulk-answer-needs-its-runner": "and (true or exists ("},
    ),
    Mutation(4, "a_bulk_answer_is_written_by_who_sent_it_and_holds_the_item", {"bulk-answer-needs-its-lease": GONE}),
    Mutation(3, "an_unknown_fate_is_never_resent", {"unknown-fate-is-not-resent": "if True:"}),
    Mutation(3, "a_dead_runs_call_is_never_resent", {"unknown-fate-is-not-resent": "if True:"}),
    Mutation(
        3,
        "a_finished_call_is_never_made_again",
        {"finished-call-is-not-intended": "from held where (true)", "finished-call-is-not-overwritten": GONE},
    ),
    Mutation(3, "a_repeated_call_carries_its_key", {"repeated-call-has-its-key": "added = {}"}),
    Mutation(3, "a_company_is_asked_once", {"company-is-one-subject": NEVER}),
    Mutation(3, "a_question_is_asked_once", {"kept-answer-comes-first": "found = replace(subject, asked=None)"}),
    Mutation(
        3,
        "a_question_that_failed_is_not_asked_again_for_the_next_row",
        {"question-is-one-subject": 'return f"item:{item.item_id}"'},
    ),
    Mutation(3, "a_question_is_not_asked_beside_another_batch", {"one-asker-at-a-time": GONE}),
    Mutation(
        3, "a_question_is_not_asked_beside_another_batch", {"asked-elsewhere-is-not-asked": "leaving = list(intents)"}
    ),
    Mutation(
        3,
        "an_answer_that_came_between_looking_and_asking_is_seen",
        {"newer-answer-is-seen": "where o.under_way"},
    ),
    Mutation(3, "a_fresh_batch_waits_for_nobody", {"asking-anew-waits-for-nobody": "waits = patience"}),
    Mutation(4, "a_dead_run_keeps_no_other_batch_waiting", {"dead-run-is-not-awaited": GONE}),
    Mutation(3, "a_dead_runs_call_is_repeated_under_its_own_key", {"dead-call-with-a-key-is-repeated": GONE}),
    Mutation(4, "nobody_waits_longer_than_for_a_call_of_its_own", {"patience-ends": "a.patience is not null"}),
    Mutation(
        3,
        "a_call_of_unknown_fate_is_not_replaced_by_a_reused_answer",
        {"reuse-needs-a-free-call": "true as free", "reuse-overwrites-no-call": GONE},
    ),
    Mutation(4, "a_retired_runner_writes_nothing", {"retired-run-writes-nothing": NEVER}),
    Mutation(4, "a_stale_fence_writes_nothing", {"intent-needs-its-lease": GONE}),
    Mutation(4, "a_stale_fence_writes_nothing", {"answer-needs-its-lease": GONE}),
    Mutation(4, "a_stale_fence_writes_nothing", {"ending-needs-its-lease": GONE}),
    Mutation(4, "a_stale_fence_reuses_nothing", {"reuse-needs-its-lease": GONE}),
    Mutation(4, "an_item_that_another_run_holds_is_left_alone", {"held-item-is-not-claimed": "and (true"}),
    Mutation(4, "an_item_that_another_run_holds_is_left_alone", {"dead-run-is-retired": GONE}),
    Mutation(4, "a_run_that_was_stopped_past_its_lease_calls_nobody", {"lease-is-asked-at-departure": GONE}),
    Mutation(5, "money_adds_up_in_any_order", {"budget-has-room": NEVER}),
    Mutation(5, "money_adds_up_in_any_order", {"reservation-is-given-back": GONE}),
    Mutation(5, "money_adds_up_in_any_order", {"spend-is-booked": GONE}),
    Mutation(5, "money_adds_up_in_any_order", {"reservations-add-up": "binding.reserved = amount"}),
    Mutation(5, "money_adds_up_in_any_order", {"refused-intent-reserves-nothing": NEVER}),
    Mutation(5, "money_adds_up_in_any_order", {"retry-returns-its-reservation": GONE}),
    Mutation(5, "spend_is_reserved_before_it_is_spent", {"budget-has-room": NEVER}),
    Mutation(5, "a_held_batch_has_no_further_intent", {"held-batch-asks-nothing": "asking = list(intents)"}),
    Mutation(5, "a_hold_waits_for_intents_that_are_being_written", {"intents-come-before-a-hold": GONE}),
    Mutation(
        6,
        "tenants_do_not_share_answers",
        {"call-is-its-batchs-alone": 'material = "\\x1f".join([workflow, version, subject_key])'},
    ),
    Mutation(6, "an_answer_is_never_reused_across_clients", {"answers-of-this-client-alone": "where true"}),
    Mutation(6, "a_client_waits_for_no_other", {"answers-of-this-client-alone": "where true"}),
    Mutation(6, "a_token_names_its_call_and_outranks_the_payload", {"expired-token-is-refused": GONE}),
    Mutation(7, "a_secret_is_nowhere_but_in_the_request", {"key-is-hashed-in-names": "digest = material"}),
    Mutation(8, "a_value_names_where_it_came_from", {"shared-value-has-its-origin": GONE}),
    Mutation(8, "a_reused_answer_says_when_it_was_fetched", {"reused-answer-keeps-its-time": '"fetched_at": "now()",'}),
    Mutation(8, "simulated_answers_do_not_reach_a_batch_for_real_providers", {"simulated-answers-stay-apart": GONE}),
    Mutation(
        9,
        "a_miss_an_error_a_skip_and_an_unknown_fate_are_told_apart",
        {"error-is-no-miss": "return Decision(Status.COMPLETED, CallState.APPLIED, Outcome.NOT_FOUND, reason)"},
    ),
    Mutation(11, "a_suppressed_person_has_no_intent", {"suppressed-person-is-not-asked-about": GONE}),
    Mutation(11, "an_intent_of_before_a_suppression_is_refused", {"changed-suppressions-are-looked-at": NEVER}),
    Mutation(
        11, "an_intent_waits_for_a_suppression_that_is_being_written", {"intents-come-before-a-suppression": "pass"}
    ),
    Mutation(10, "a_workflow_is_only_a_row", {"table-is-made-from-the-row": NEVER}),
    Mutation(12, "a_page_decides_nothing_but_its_own_row", {"a-value-from-nowhere-does-not-count": "return value"}),
    Mutation(12, "a_page_decides_nothing_but_its_own_row", {"an-answer-is-as-asked": NEVER}),
]
