"""What earlier versions kept is read as they read it: their blueprints, their answers, their callbacks.

A line that reads otherwise is a batch of somebody's that reads otherwise after an upgrade. `python -m
tests.corpus.collect` adds lines of this version and changes none.
"""

from __future__ import annotations

import pytest

from enrichment_assets.domain.workflow import Mode
from enrichment_assets.providers import PROVIDERS
from tests.corpus.kept import ANSWERS, FOLDER, Kept, answers, name_of, read, steps

DESTINATIONS = {"clickup", "hubspot", "sheets", "airtable", "salesforce", "pipedrive", "attio", "files", "webhook"}
OUTREACH = {"instantly", "smartlead", "lemlist", "heyreach", "emailbison"}
MAIL = {"smtp", "gmail", "resend", "sendgrid", "mailgun", "postmark"}
ASKED_BY_NO_WORKFLOW = {"person", *MAIL, *OUTREACH, *DESTINATIONS}
"""A person answers a form of ours; from a destination or an outreach service nothing is learnt of a row."""


def test_every_answer_of_the_corpus_is_read_as_when_it_came() -> None:
    known = steps()
    wrong = {}
    for line in answers():
        said = read(known[line["step"]], Kept.of_json(line["kept"]))
        if said != line["read"]:
            wrong[f"{known[line['step']].slug}, {line['kind']}, {line['answer']}"] = (line["read"], said)
    assert wrong == {}


def test_no_line_of_the_corpus_was_changed() -> None:
    for line in answers():
        content = {name: line[name] for name in ("step", "kind", "kept", "read")}
        assert name_of(content) == line["answer"], f"{line['kind']} is another line than was added"
    assert len({line["answer"] for line in answers()}) == len(answers())


def test_every_provider_is_in_it_with_what_it_finds_misses_and_gets_wrong() -> None:
    known = steps()
    of: dict[str, set[str]] = {}
    for line in answers():
        of.setdefault(known[line["step"]].workflow.provider, set()).add(line["read"].get("status", "pending"))
    assert set(of) == set(PROVIDERS) - ASKED_BY_NO_WORKFLOW
    assert {name for name, statuses in of.items() if "COMPLETED" not in statuses} == set()
    kinds = {line["kind"] for line in answers()}
    assert {"found", "miss", "garbage", "found called back", "found polled", "bulk", "line of an order"} <= kinds
    assert any(step.workflow.mode is Mode.ASYNC for step in known.values())


def test_the_corpus_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 2_000_000
    assert ANSWERS.exists()


@pytest.mark.parametrize("change", ["fields", "status"])
def test_a_reading_that_differs_would_be_seen(change: str) -> None:
    line = next(line for line in answers() if line["read"].get("fields"))
    said = read(steps()[line["step"]], Kept.of_json(line["kept"]))
    assert {**said, change: "another"} != line["read"] == said
