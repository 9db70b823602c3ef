"""An approval is of exact bytes: whatever changes of draft, facts or template, another one is needed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import psycopg
import pytest

from enrichment_assets.domain.drafts import Standing
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.services.catalog import configuration
from enrichment_assets.services.insight.editing import edit_lead
from enrichment_assets.services.review import deciding
from enrichment_assets.services.review.approved import approved
from enrichment_assets.services.review.listing import Wanted, find_draft, list_drafts, parsed
from tests.actors import TESTER
from tests.review.conftest import BATCH, DRAFTS, Desk

GRADED_A = Wanted(batch=BATCH, grade="a")


def approve(desk: Desk, *places: int) -> None:
    for selection in deciding.named([find_draft(desk.hq, desk.name(place)) for place in places]):
        deciding.approve(desk.hq, selection, actor=TESTER)


def standings(desk: Desk) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.standing.value, one.changed) for one in list_drafts(desk.hq, Wanted(batch=BATCH))]


def correct(desk: Desk, column: str, value: str | None) -> None:
    edit_lead(desk.hq, desk.settings, BATCH, desk.items[0], column, value, by="ada", actor=TESTER)


def save_prompt(desk: Desk) -> None:
    workflow = configuration.get_workflow(desk.hq, DRAFTS).definition
    assert workflow.prompt is not None
    other = workflow.prompt.model_copy(update={"instructions": "Write in another way."})
    configuration.add_workflow(
        desk.hq, desk.settings, workflow.model_copy(update={"prompt": other}), actor=TESTER, replace=True
    )


def configure(desk: Desk, path: str, value: object) -> None:
    configuration.set_client_config(desk.hq, desk.settings, "acme", DRAFTS, actor=TESTER, set_values={path: value})


VOIDS: dict[str, tuple[Callable[[Desk], None], tuple[str, ...]]] = {
    "the model wrote anew": (lambda desk: desk.rewrite(0, "Hello again."), ("draft",)),
    "one character of the draft is another one": (
        lambda desk: desk.rewrite(0, "Hello 1.\nCongratulations - on Boston."),
        ("draft",),
    ),
    "a person corrected the draft": (lambda desk: correct(desk, "draft_subject", "Boston!"), ("draft",)),
    "a person emptied a field of the draft": (lambda desk: correct(desk, "draft_subject", None), ("draft",)),
    "a person corrected a fact that it quotes": (lambda desk: correct(desk, "first_name", "Anna"), ("facts",)),
    "another step found another fact": (
        lambda desk: desk.change(
            'update enrichment_results set fields = \'{"lead_grade": "B"}\' where item_id = %s and workflow_slug = %s',
            desk.items[0],
            "qualify-lead",
        ),
        ("facts",),
    ),
    "the prompt was changed": (save_prompt, ("template",)),
    "the client's settings change the prompt": (lambda desk: configure(desk, "prompt.model", "gpt-7"), ("template",)),
}
KEEPS: dict[str, Callable[[Desk], None]] = {
    "nothing happened": lambda desk: None,
    "a field that the draft reads nothing of": lambda desk: correct(desk, "city", "Boston"),
    "a fact was corrected to what it was": lambda desk: correct(desk, "first_name", "Ann1"),
    "the price changed": lambda desk: configure(desk, "limits.per_minute", 5),
    "an answer of the same bytes came again": lambda desk: desk.rewrite(0, "Hello 1.\nCongratulations – on Boston."),
}


def test_an_approval_is_void_once_draft_facts_or_template_are_others(desk: Desk) -> None:
    for what, (change, changed) in VOIDS.items():
        approve(desk, 0)
        assert standings(desk)[0] == ("approved", ()), what
        change(desk)
        assert standings(desk)[0] == ("outdated", changed), what
        assert approved(desk.hq, BATCH, desk.items) == {}


def test_an_approval_holds_while_nothing_changes_that_it_is_of(desk: Desk) -> None:
    approve(desk, 0)
    for what, change in KEEPS.items():
        change(desk)
        assert standings(desk)[0] == ("approved", ()), what
    ((key, one),) = approved(desk.hq, BATCH, desk.items).items()
    assert key == (desk.items[0], DRAFTS)
    # Names sorted, no blanks, UTF-8 as it is: what a delivery sends is compared with this, byte for byte.
    exact = '{"draft_body":"Hello 1.\\nCongratulations – on Boston.","draft_subject":"Boston, 1"}'.encode()
    assert one.sha256 == hashlib.sha256(exact).digest()
    assert desk.rows("select id, draft_sha256, actor, client_id from approvals") == [
        {"id": one.approval_id, "draft_sha256": one.sha256, "actor": "cli:tester", "client_id": 1}
    ]


def test_bytes_that_came_back_are_approved_and_a_step_that_is_asked_again_has_no_draft(desk: Desk) -> None:
    approve(desk, 0)
    desk.rewrite(0, "Hello again.")
    desk.rewrite(0, "Hello 1.\nCongratulations – on Boston.")
    assert standings(desk)[0] == ("approved", ())
    desk.change("update workflow_states set status = 'PENDING', outcome = null where item_id = %s", desk.items[0])
    assert approved(desk.hq, BATCH, desk.items) == {}
    with pytest.raises(NotFoundError, match="has no draft of personalise-email"):
        find_draft(desk.hq, desk.name(0))
    for statement in ("update approvals set note = 'x'", "delete from approvals", "truncate approvals"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append only"):
            desk.change(statement)
        desk.raw.rollback()


def test_a_hash_that_says_nothing_is_no_hash(desk: Desk) -> None:
    found = [find_draft(desk.hq, desk.name(0))]
    now = found[0].reviewed.draft.of.draft.hex()
    assert len(deciding.named(found, now[:8].upper())) == len(deciding.named(found, now)) == 1
    assert [len(one.drafts) for one in deciding.named([*found, *found])] == [1], "named twice, decided about once"
    for nothing in ("", now[:7], f"{now} ", "$HASH"):
        with pytest.raises(ConfigurationError, match="names no bytes"):
            deciding.named(found, nothing)
    with pytest.raises(ConfigurationError, match="other bytes"):
        deciding.named(found, "0" * 64)


def test_many_are_approved_as_they_were_shown(desk: Desk) -> None:
    shown = deciding.select(desk.hq, GRADED_A)
    assert [one.name for one in shown.drafts] == [desk.name(0), desk.name(1)]
    desk.rewrite(1, "Written anew between the sample and the yes.")
    assert deciding.approve(desk.hq, shown, actor=TESTER, note="read them") == 2
    assert standings(desk) == [("approved", ()), ("outdated", ("draft",)), ("waiting", ())]
    assert [one.name for one in deciding.select(desk.hq, GRADED_A).drafts] == [desk.name(1)]
    with pytest.raises(ConfigurationError, match="has other bytes by now"):
        deciding.named([find_draft(desk.hq, desk.name(1))], shown.drafts[1].draft.of.draft.hex())
    (action,) = desk.rows("select actor, name, after from operator_actions where action = 'review.approve'")
    assert (action["actor"], action["name"], action["after"]["drafts"]) == ("cli:tester", "2 drafts", 2)


def test_drafts_are_found_by_client_workflow_and_any_field(desk: Desk) -> None:
    def found(**wanted: object) -> list[int]:
        return [desk.items.index(one.draft.item_id) for one in list_drafts(desk.hq, Wanted(**wanted))]  # type: ignore[arg-type]

    assert found(client="acme") == [0, 1, 2]
    assert found(where={"company_name": "alpha 2"}) == [1]
    assert found(workflow="personalise-linkedin") == []
    assert found(grade="C") == []
    with pytest.raises(NotFoundError, match="there is no client"):
        found(client="nobody")


def test_a_rejection_says_why_and_ends_with_other_bytes(desk: Desk) -> None:
    selection = deciding.select(desk.hq, Wanted(batch=BATCH, grade="B"))
    with pytest.raises(ConfigurationError, match="say why"):
        deciding.reject(desk.hq, selection, actor=TESTER, reason=" ")
    assert deciding.reject(desk.hq, selection, actor=TESTER, reason="names the wrong city") == 1
    (one,) = list_drafts(desk.hq, Wanted(batch=BATCH, state=Standing.REJECTED))
    assert one.approval is not None and one.approval.note == "names the wrong city"
    assert deciding.select(desk.hq, Wanted(batch=BATCH, grade="B")).drafts == []
    desk.rewrite(2, "Another city.")
    assert standings(desk)[2] == ("waiting", ())


def test_an_edit_is_new_bytes_that_nobody_has_approved(desk: Desk) -> None:
    approve(desk, 0)
    edited = deciding.edit(
        desk.hq, desk.settings, desk.name(0), {"draft_subject": "A", "draft_body": "Two\nlines"}, actor=TESTER
    )
    assert edited.reviewed.draft.values == {"draft_subject": "A", "draft_body": "Two\nlines"}
    assert edited.reviewed.standing is Standing.OUTDATED
    edits = desk.rows("select field, value, edited_by from item_edits order by id")
    assert [(e["field"], e["value"], e["edited_by"]) for e in edits] == [
        ("draft_subject", "A", "tester"),
        ("draft_body", "Two\nlines", "tester"),
    ]
    assert len(desk.rows("select 1 from operator_actions where action = 'review.edit'")) == 2
    with pytest.raises(ConfigurationError, match="no field of the draft: it has draft_subject, draft_body"):
        deciding.edit(desk.hq, desk.settings, desk.name(0), {"draft_subject": "B", "title": "x"}, actor=TESTER)
    assert find_draft(desk.hq, desk.name(0)).reviewed.draft.values["draft_subject"] == "A"


@pytest.mark.parametrize("name", ["", "x", "17/", "1.5/personalise-email", "²/x", "9" * 30])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="names no draft"):
        parsed(name)
