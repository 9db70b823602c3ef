"""Saved cases are read as the engine reads answers, and what differs is told field by field; nobody is called."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.services.tries.case_files import read_cases
from enrichment_assets.services.tries.cases import CaseReport, is_same, run_cases
from tests.harness.batches import async_step, bulk_step, people, step
from tests.tries.conftest import Desk

FIND: dict[str, Any] = {
    "provides": {"email": "person.email", "title": "person.title", "score": "score"},
    "response": {"found_if": "person", "not_found_status": [404]},
    "types": {"score": "number"},
}


def report_of(tmp_path: Path, workflow: WorkflowDefinition, *cases: Any) -> CaseReport:
    """Run cases of a file of these lines; a text stands as it is."""
    file = tmp_path / "cases.jsonl"
    file.write_text("".join(f"{case if isinstance(case, str) else json.dumps(case)}\n" for case in cases))
    return run_cases(workflow, read_cases(file), file)


def test_each_case_is_read_as_a_live_answer_would_be_and_differences_are_told(tmp_path: Path) -> None:
    hit = {"person": {"email": "Ada@Example.com", "title": "CTO"}, "score": 7}
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "hit.json").write_text(json.dumps(hit))
    raw = base64.b64encode(json.dumps(hit).encode("utf-16")).decode()
    report = report_of(
        tmp_path,
        step("find", **FIND),
        {"name": "hit", "answer": {"body": hit}, "expect": {"email": "ada@example.com", "score": 7.0}},
        "",
        {"name": "file", "answer": "answers/hit.json", "outcome": "found", "assert": "fields.title == 'CTO'"},
        {"name": "bytes", "answer": {"body_base64": raw}, "expect": {"title": "CTO"}},
        {"name": "miss", "answer": {"status": 404, "body": "?"}, "outcome": "not_found", "expect": {"email": None}},
        {"name": "down", "answer": {"status": 503, "body": "<html>"}, "outcome": "pending"},
        {"name": "page", "answer": {"body": "<html>"}, "outcome": "failed", "assert": ["error_class == 'contract'"]},
        {"name": "wrong", "answer": {"body": {"person": {"email": "nobody", "title": "CTO"}}},
         "expect": {"email": "ada@example.com", "title": "CEO", "emial": None}, "outcome": "not_found",
         "assert": ["rejected.email.reason == 'not_an_address'", "length(fields.email) > `3`", "fields.title == 'X'"]},
    )  # fmt: skip
    assert [result.name for result in report.results if not result.passed] == ["wrong"] and report.failed == 1
    wrong = report.results[-1]
    assert (wrong.line, wrong.ended, wrong.expected_end) == (8, "found", "not_found")
    assert [(d.field, d.expected, d.got, d.rejected) for d in wrong.differences] == [
        ("email", "ada@example.com", None, "not_an_address"),
        ("title", "CEO", "CTO", None),
        ("emial", None, None, "the workflow gives no such field; did you mean 'email'?"),
    ]
    assert wrong.untrue[1:] == ("fields.title == 'X'",)
    assert wrong.untrue[0].startswith("length(fields.email) > `3` (")


def test_callbacks_polls_bulk_members_and_what_is_computed_here_are_cases_too(tmp_path: Path) -> None:
    later = async_step("later", poll={"request": {"url": "/results/{{external_id}}"}, "pending_status": [202]})
    report = report_of(
        tmp_path,
        later,
        {"name": "called back", "answer": {"body": {"found": True, "id": "a"}}, "expect": {"later": "a"}},
        {"name": "polled", "answer": {"how": "poll", "body": {"found": True, "id": "b"}}, "expect": {"later": "b"}},
        {"name": "too early", "answer": {"how": "poll", "status": 202}, "outcome": "pending"},
        {"name": "taken", "answer": {"how": "response", "status": 202, "body": {"id": "7"}}, "outcome": "in_progress"},
    )
    assert [(r.name, r.differences, r.expected_end) for r in report.results if not r.passed] == []

    members = [{"id": "0", "found": True, "number": "x", "status": 200}, {"id": "9", "number": "y", "status": 200}]
    place = {"index": 1, "count": 2, "names": ["0", "9"]}
    report = report_of(
        tmp_path,
        bulk_step("many", response={"found_if": "number"}),
        {"name": "alone", "answer": {"body": {"results": members[:1]}}, "inputs": {"first_name": "A"},
         "expect": {"many": "x"}},
        {"name": "second", "answer": {"body": {"results": members}, "place": place}, "expect": {"many": "y"}},
    )  # fmt: skip
    assert [(r.name, r.reason) for r in report.results if not r.passed] == []

    local = WorkflowDefinition(
        slug="name", title="n", step=1, provider="local", operation="normalise_name", mode="local",
        provides={"last_name": "last_name"},
    )  # fmt: skip
    report = report_of(
        tmp_path, local, {"name": "a name", "inputs": {"full_name": "ada BYRON"}, "expect": {"last_name": "Byron"}}
    )
    assert report.failed == 0


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("{", "line 2: is no JSON"),
        ("[1]", "line 2: is no JSON object"),
        ('{"name": "a", "answer": {}}', "line 2: the case: expects nothing"),
        ('{"name": "a", "answer": {}, "outcom": "found"}', "line 2: outcom: there is no setting 'outcom' here"),
        ('{"name": "a", "answer": {"status": 99}, "outcome": "found"}', "line 2: answer"),
        ('{"name": "a", "answer": {"body": 1, "path": "x"}, "outcome": "found"}', "has its bytes once"),
        ('{"name": "a", "answer": {"body_base64": "!"}, "outcome": "found"}', "line 2: answer.body_base64"),
        ('{"name": "a", "answer": "../x.json", "outcome": "found"}', "not in the folder of the cases"),
        ('{"name": "a", "answer": "/etc/hostname", "outcome": "found"}', "not in the folder of the cases"),
        ('{"name": "a", "answer": "none.json", "outcome": "found"}', "line 2: answer: there is no file"),
        ('{"name": "a", "answer": ".", "outcome": "found"}', "line 2: answer"),
        ('{"name": "a", "answer": {}, "assert": "fields..x"}', "line 2: assert: 'fields..x' is not a JMESPath"),
        ('{"name": "a", "outcome": "found"}', "line 2: answer: is missing"),
        ('{"name": "a", "answer": {"how": "poll"}, "outcome": "found"}', "line 2: answer.how: find has no `poll`"),
        ('{"name": "first", "answer": {}, "outcome": "found"}', "is called 'first' already, in line 1"),
    ],
)
def test_a_line_that_is_no_case_is_named_with_its_cause(tmp_path: Path, line: str, cause: str) -> None:
    first = '{"name": "first", "answer": {}, "outcome": "failed"}'
    with pytest.raises(ConfigurationError) as refused:
        report_of(tmp_path, step("find", **FIND), first, line)
    assert cause in str(refused.value)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n \n")
    for name, code in (
        ("empty.jsonl", "cases.empty"),
        ("none.jsonl", "cases.file_not_found"),
        ("", "cases.file_refused"),
    ):
        with pytest.raises((ConfigurationError, NotFoundError)) as refused:
            read_cases(tmp_path / name)
        assert refused.value.code == code


def test_values_are_equal_as_json_is() -> None:
    assert all(is_same(*pair) for pair in ((1, 1.0), ([1, {"a": None}], [1.0, {"a": None}]), ("x", "x"), (None, None)))
    assert not any(
        is_same(*pair) for pair in ((1, True), (0, False), ("1", 1), ([1, 2], [2, 1]), ({}, {"a": None}), ("", None))
    )


def test_stored_answers_are_recorded_as_cases_that_hold_and_a_changed_mapping_is_compared_before_it_is_kept(
    desk: Desk, tmp_path: Path
) -> None:
    mapped = {"first": "json.first", "n": "json.n"}
    body = {"first": "{{first_name}}", "n": "{{original.n}}"}
    find = step("find", request={"url": "/echo", "body": body}, provides=mapped, response={})
    batch = desk.ran(people(5), find)
    file = tmp_path / "recorded.jsonl"
    recorded = desk.json("workflow", "test", "find", str(file), "--record", batch.key, "--limit", "4")
    assert (recorded["cases"], recorded["gone"], stat.S_IMODE(file.stat().st_mode)) == (4, 0, 0o600)
    assert desk.json("workflow", "test", "find", str(file))["failed"] == 0
    assert desk.refused("workflow", "test", "find", str(file), "--record", batch.key) == "cases.file_exists"

    changed = tmp_path / "find.yaml"
    shown = yaml.safe_load(desk("workflow", "show", "find").stdout)
    changed.write_text(yaml.safe_dump({**shown, "provides": {"first": "json.n", "path": "path"}}))
    calls, before = batch.billed(), desk.rows("select * from enrichment_results order by id")
    failing = desk.json("workflow", "test", str(changed), str(file), code=1)
    assert failing["failed"] == 4
    assert {d["field"] for d in failing["results"][0]["differences"]} == {"first", "n"}

    compared = desk.json("workflow", "test", "find", "--replay", batch.key, "--definition", str(changed))
    fields = {one["field"]: one for one in compared["fields"]}
    assert (compared["answers"], compared["differing"], compared["new_mapping"]) == (5, 5, True)
    counts = {name: (one["same"], one["changed"], one["gained"], one["lost"]) for name, one in fields.items()}
    assert counts == {"first": (0, 5, 0, 0), "path": (0, 0, 5, 0), "n": (0, 0, 0, 5)}
    examples = fields["first"]["examples"]
    assert len(examples) == 3
    assert all((e["before"], e["after"]) == (f"Ann{e['row_number']}", str(e["row_number"])) for e in examples)
    assert desk.rows("select * from enrichment_results order by id") == before, "nothing is written"

    applied = desk.json("workflow", "test", str(changed), "--replay", batch.key, "--apply")
    assert (applied["applied"]["changed"], applied["applied"]["answers"]) == (5, 5)
    assert {row["fields"]["first"] for row in desk.rows("select fields from enrichment_results")} == set("12345")
    again = desk.json("workflow", "test", "find", "--replay", batch.key)
    assert (again["differing"], again["new_mapping"], batch.billed()) == (0, False, calls)
    printed = desk("workflow", "test", "find", "--replay", batch.key).stdout
    assert "by the registered mapping: 5 stored answers, 0 differ" in printed

    batch.change("update provider_calls set response_body = null, body_removed_at = now()")
    gone = desk.json("workflow", "test", "find", "--replay", batch.key)
    assert (gone["answers"], gone["gone"]) == (0, 5)
    new = tmp_path / "new.jsonl"
    assert desk.refused("workflow", "test", "find", str(new), "--record", batch.key) == "cases.nothing_stored"
    assert not new.exists()


def test_a_workflow_of_a_file_is_tested_without_a_home(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl").write_text('{"name": "a", "answer": {"body": {"id": "7"}}, "expect": {"find": "7"}}\n')
    desk.register(step("find", response={}))
    (tmp_path / "find.yaml").write_text(desk("workflow", "show", "find").stdout)
    nowhere = {"ENRICH_HOME": str(tmp_path / "none"), "HQ_DATABASE_URL": "", "ENRICH_SANDBOX_URL": ""}
    done = desk("workflow", "test", str(tmp_path / "find.yaml"), str(tmp_path / "cases.jsonl"), **nowhere)
    assert done.exit_code == 0 and "find: 1 cases, 0 failed" in done.stdout
    assert not (tmp_path / "none").exists()
    for arguments, code in (
        (("find",), "option.test"),
        (("find", "x.jsonl", "--replay", "b"), "option.test"),
        (("find", "x.jsonl", "--apply"), "option.apply_without_replay"),
        (("find", "--record", "b"), "option.record_without_file"),
    ):
        assert desk.refused("workflow", "test", *arguments) == code, arguments
    missing = desk("workflow", "test", "find", "--replay", "b", **nowhere)
    assert getattr(missing.exception, "code", None) == "home.not_found"
