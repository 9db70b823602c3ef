"""Members of a bulk call: how they are rendered, how the answer is told apart, what `bulk` may say. Pure functions."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from enrichment_assets.domain.bulk_answers import BulkReader, Missing, Place
from enrichment_assets.domain.bulk_requests import BulkRenderer
from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.domain.workflow_checks import check_workflow, workflow_faults
from enrichment_assets.providers import PROVIDERS

BULK: dict[str, Any] = {
    "at_most": 10,
    "wait": "200ms",
    "member": {"id": "{{ item.id }}", "email": "{{ email }}"},
    "answers": "found",
    "match": {"sent": "id", "answered": "id"},
}
REQUEST: dict[str, Any] = {"url": "https://bulk.example/v1", "body": {"people": "{{ members }}", "mode": "fast"}}


def workflow(bulk: dict[str, Any] | None = None, **fields: Any) -> WorkflowDefinition:
    """One of provider http; `bulk` and `fields` change it."""
    values = {"slug": "many", "title": "Many", "step": 1, "provider": "http", "operation": "many", "mode": "sync"}
    changed = {**values, "request": REQUEST, "provides": {"title": "title"}, "bulk": {**BULK, **(bulk or {})}, **fields}
    return WorkflowDefinition.model_validate(changed)


def item(number: int, **fields: Any) -> dict[str, Any]:
    """What templates see of one."""
    return {"item": {"id": number}, "email": f"ann{number}@acme.example", **fields}


def test_each_member_is_rendered_from_its_own_item_and_the_request_lists_them_in_order() -> None:
    renderer = BulkRenderer(workflow())
    members = [renderer.member(item(n)) for n in (7, 3)]
    assert [m.name for m in members] == ["7", "3"]
    request = renderer.render_call(members, {"parameters": {}})
    assert orjson.loads(request.content or b"") == {
        "people": [{"id": 7, "email": "ann7@acme.example"}, {"id": 3, "email": "ann3@acme.example"}],
        "mode": "fast",
    }
    alone = orjson.loads(renderer.render(item(7)).content or b"")
    assert alone == {"people": [{"id": 7, "email": "ann7@acme.example"}], "mode": "fast"}


def test_a_bare_list_of_values_is_a_body_too() -> None:
    """Bouncer's batch body is one (docs.usebouncer.com)."""
    request = {"url": "https://bulk.example/v1", "body": "{{ members }}"}
    bulk = {"member": "{{ email }}", "match": {"sent": "@", "answered": "email"}}
    renderer = BulkRenderer(workflow(bulk, request=request))
    members = [renderer.member(item(n)) for n in (1, 2)]
    assert renderer.render_call(members, {}).content == b'["ann1@acme.example","ann2@acme.example"]'
    assert members[0].name == "ann1@acme.example"


@pytest.mark.parametrize(
    ("bulk", "seen", "said"),
    [
        ({"member": {"email": "{{ email }}"}, "match": "position"}, {"email": None}, "nothing of this item is in it"),
        ({}, {"item": {"id": None}}, "gives no id for this item"),
        ({}, {"item": {"id": "a\0b"}}, "gives no id for this item"),
        ({}, {"item": {"id": "x" * 1001}}, "gives no id for this item"),
        ({}, {"item": {"id": True}}, "gives no id for this item"),
    ],
)
def test_an_item_that_cannot_be_a_member_is_refused_by_itself(
    bulk: dict[str, Any], seen: dict[str, Any], said: str
) -> None:
    with pytest.raises(ContractError, match=said):
        BulkRenderer(workflow(bulk)).member(item(1, **seen))


def parts(elements: Any, place: Place, bulk: dict[str, Any] | None = None) -> list[Any]:
    """Each member's element with its status, or why there is none."""
    body = orjson.dumps({"found": elements})
    headers = {"content-type": "application/json", "x-request-cost": "7"}
    found = BulkReader(workflow(bulk)).parts(Answer(200, headers, body), place)
    return [
        (part.why, part.is_miss) if isinstance(part, Missing) else (part.status, orjson.loads(part.body))
        for part in found
    ]


NAMED = Place(0, 3, ("1", "2", "3"))
NOTHING = ("the answer says nothing about this member", False)


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        # any order, numbers or texts
        ([{"id": "3"}, {"id": 1}, {"id": "2"}], [(200, {"id": 1}), (200, {"id": "2"}), (200, {"id": "3"})]),
        # white space around an id is no part of it
        ([{"id": " 1 "}, {"id": "2"}, {"id": 3}], [(200, {"id": " 1 "}), (200, {"id": "2"}), (200, {"id": 3})]),
        # one is missing, and nobody else is there
        ([{"id": 1}, {"id": 3}], [(200, {"id": 1}), NOTHING, (200, {"id": 3})]),
        # the same twice is once
        ([{"id": 1}, {"id": 1}, {"id": 2}, {"id": 3}], [(200, {"id": 1}), (200, {"id": 2}), (200, {"id": 3})]),
        # two that differ are nobody's
        (
            [{"id": 1, "n": 5}, {"id": 1, "n": 6}, {"id": 2}, {"id": 3}],
            [("the answer has 2 different elements for this member", False), (200, {"id": 2}), (200, {"id": 3})],
        ),
        # a stranger may be the one who is missing: it is not guessed
        (
            [{"id": 1}, {"id": 9}, {"id": 3}],
            [
                (200, {"id": 1}),
                ("the answer has 1 elements that are no member's, and none for this one", False),
                (200, {"id": 3}),
            ],
        ),
        # an id that is no id (a boolean, a list, none) names nobody
        (
            [{"id": True}, {"id": [2]}, {}],
            [("the answer has 3 elements that are no member's, and none for this one", False)] * 3,
        ),
        ([], [NOTHING] * 3),
    ],
)  # fmt: skip
def test_members_are_found_by_the_id_that_was_sent(elements: Any, expected: list[Any]) -> None:
    assert parts(elements, NAMED) == expected


def test_letters_count_unless_the_workflow_says_that_they_do_not() -> None:
    """Mail providers write domains in small letters and echo addresses as they are kept."""
    place, elements = Place(0, 1, ("Ann@Acme.example",)), [{"id": "ann@acme.EXAMPLE"}]
    assert parts(elements, place)[0][1] is False
    ignoring = {"match": {"sent": "id", "answered": "id", "ignore_case": True}}
    assert parts(elements, place, ignoring) == [(200, elements[0])]


def test_a_missing_member_is_a_miss_where_the_provider_leaves_out_what_it_does_not_know_and_no_stranger_is_there() -> (
    None
):
    leaves_out = {"missing": "not_found"}
    assert parts([{"id": 1}, {"id": 2}], NAMED, leaves_out)[2] == ("the answer says nothing about this member", True)
    assert parts([{"id": 1}, {"id": 9}], NAMED, leaves_out)[2][1] is False


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ([{"a": 1}, None, {"a": 3}], [(200, {"a": 1}), (200, None), (200, {"a": 3})]),
        ([{"a": 1}, {"a": 3}], [("the answer has 2 elements for 3 members: nobody knows whose they are", False)] * 3),
        ([{}] * 4, [("the answer has 4 elements for 3 members: nobody knows whose they are", False)] * 3),
    ],
)
def test_members_are_found_by_their_place_only_where_each_has_one(elements: Any, expected: list[Any]) -> None:
    assert parts(elements, Place(0, 3), {"match": "position"}) == expected


@pytest.mark.parametrize(("status", "read"), [(404, 404), (200, 200), ("404", 200), (True, 200), (0, 200), (None, 200)])
def test_an_element_may_say_which_status_it_stands_for(status: Any, read: int) -> None:
    assert parts([{"id": 1, "status": status}], Place(0, 1, ("1",)), {"status": "status"})[0][0] == read


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"[]", b'{"found": null}', b'{"found": {"id": 1}}', b'{"found": "1"}']
)
def test_an_answer_without_a_list_of_members_is_a_broken_contract(body: bytes) -> None:
    with pytest.raises(ContractError):
        BulkReader(workflow()).parts(Answer(200, {}, body), NAMED)


@pytest.mark.parametrize(
    ("bulk", "fields", "place", "said"),
    [
        ({}, {"request": {**REQUEST, "body": {"a": 1}}}, "request.body", "nothing puts the members"),
        ({}, {"request": {**REQUEST, "query": {"q": "{{ email }}"}}}, "request.query.q", "'email' is one item's"),
        ({}, {"request": {**REQUEST, "url": "https://a.example/{{ item.id }}"}}, "request.url", "'item.id' is one"),
        ({}, {"request": {**REQUEST, "body_format": "form"}}, "request.body_format", "members are a JSON list"),
        ({"member": {"id": "x"}}, {}, "bulk.member", "the same for every item"),
        ({"member": {"id": "{{ members }}"}}, {}, "bulk.member.id", "`members` is there only in the request"),
        ({"member": {"id": "{{ item.id }}", "u": "{{ callback_url }}"}}, {}, "bulk.member.u", "`callback_url` is"),
        ({"member": {"id": "{{ item.id }}", "k": "{{ secrets.k }}"}}, {}, "bulk.member.k", "secret"),
        ({"member": {"id": "{{ emial }}"}}, {}, "bulk.member.id", "did you mean 'email'"),
        ({"member": {"id": "{{ item.id"}}, {}, "bulk.member.id", "item.id"),
        ({"match": {"sent": "metadata.id", "answered": "id"}}, {}, "bulk.match.sent", "has no 'metadata.id'"),
        ({"match": {"sent": "id", "answered": "a["}}, {}, "bulk.match.answered", "not a JMESPath"),
        ({"answers": "a["}, {}, "bulk.answers", "not a JMESPath"),
        ({"status": "a["}, {}, "bulk.status", "not a JMESPath"),
        ({"cost": "units"}, {"response": {"cost": "cost"}}, "bulk.cost", "one of them is counted"),
        ({}, {"response": {"format": "text"}}, "response.format", "an answer for many members is JSON"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_its_place_and_reason(
    bulk: dict[str, Any], fields: dict[str, Any], place: str, said: str
) -> None:
    faults = [str(fault) for fault in workflow_faults(workflow(bulk, **fields), PROVIDERS)]
    assert any(fault.startswith(f"{place}: ") and said in fault for fault in faults), faults


def test_a_bulk_workflow_that_can_work_is_taken() -> None:
    check_workflow(workflow(), PROVIDERS)
    check_workflow(workflow({"match": "position", "missing": "not_found", "cost": "units"}), PROVIDERS)


def test_members_is_no_name_of_a_workflow_without_bulk() -> None:
    plain = workflow().model_copy(update={"bulk": None})
    with pytest.raises(ConfigurationError, match="`members` is there only in the request of a workflow with `bulk`"):
        check_workflow(plain, PROVIDERS)


@pytest.mark.parametrize("bulk", [{"at_most": 0}, {"at_most": 1001}, {"wait": "2m"}, {"match": "order"}, {"who": 1}])
def test_bounds_of_the_setting(bulk: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="bulk"):
        workflow(bulk)


COUNTED = "{already there: duplicated, blocked: in_blocklist, no address: invalid}"


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        ({"duplicated": 2}, "already there"),
        ({"duplicated": 0, "in_blocklist": 1, "invalid": 0}, "blocked"),
        ({"in_blocklist": 1, "invalid": 1}, "one of: blocked (1), no address (1)"),
        ({"duplicated": 0}, None),
        ({"duplicated": "2"}, None),
        ({"duplicated": True}, None),
        ({}, None),
    ],
)
def test_a_member_that_is_not_listed_has_the_reason_that_the_answer_counts(
    counts: dict[str, Any], why: str | None
) -> None:
    bulk = {
        "match": {"sent": "email", "answered": "email", "ignore_case": True},
        "unlisted": COUNTED.replace("already there", '"already there"').replace("no address", '"no address"'),
    }
    reader = BulkReader(workflow(bulk))
    body = {"found": [{"email": "ANN1@acme.example", "id": "l1"}], **counts}
    place = Place(0, 2, ("ann1@acme.example", "ann2@acme.example"))
    first, second = reader.parts(Answer(200, {"content-type": "application/json"}, orjson.dumps(body)), place)
    assert isinstance(first, Answer)
    assert isinstance(second, Missing)
    assert (second.is_refused, second.is_miss) == (why is not None, False)
    assert second.why == (why or "the answer says nothing about this member")


def test_by_position_nobody_is_unlisted() -> None:
    [fault] = list(workflow_faults(workflow({"match": "position", "unlisted": "{a: b}"}), PROVIDERS))
    assert "position" in str(fault)
