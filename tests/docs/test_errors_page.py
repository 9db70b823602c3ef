"""Every place that refuses or fails has a code of its own, and docs/errors.md says what each code means."""

from __future__ import annotations

import re
from collections import Counter

from enrichment_assets.services.catalog.archiving import Kind
from tests.docs.errors_page import GENERIC, PAGE, SAID_ELSEWHERE, render, sites

SAME_MEANING = {
    "actor.invalid": "written without a kind, or with a name that is none",
    "batch.archived": "launched again, or worked on",
    "batch.not_extracted": "asked by the warehouse's files or by a query",
    "batch.other_world": "for the simulator, or for real providers",
    "batch.not_found": "of anybody, of one client, or to be put away",
    "client.not_found": "asked for, or to be put away",
    "client.slug_invalid": "to be added, or to name a folder",
    "event.message_not_found": "shown, or read again",
    "event.unreadable": "no JSON, or not what its kind of connection tells",
    "event_source.path_invalid": "no text, or no JMESPath",
    "gate.setting_invalid": "no switch, no word of it, or no number of it",
    "event_source.secret_missing": "when it is added, or when its messages are read",
    "gate.no_lead": "let pass, or not any more",
    "gate.nothing_given": "of a rule, or of a lead",
    "export.needs_file": "of a model, or of a query's answer",
    "item.not_found": "to be explained, or to be corrected",
    "money.not_an_amount": "no number, or no finite one",
    "pipeline.all_switched_off": "before and after what a client leaves out",
    "review.no_question": "of an item, or of the batch of a page",
    "report.not_found": "named to a command, or to a page",
    "pipeline.invalid": "when it is saved, or launched",
    "pipeline.not_found": "asked for, or to be put away",
    "configuration.variable_missing": "of a workflow, or of a channel of alerts",
    "pull.broken_off": "refused, in a circle, or without an end",
    "pull.not_as_agreed": "an answer, or a file",
    "pull.too_much": "for the service, or for us",
    "request.invalid": "of any route, or of one that takes a file",
    "file.fields_invalid": "of a workflow or pipeline, or of a campaign",
    "batch.not_started": "to be extracted, or run for chosen items",
    "pull.answer_lost": "no answer came, or one that says nothing of what was done",
    "pull.gone": "asked for, or told to change",
    "run.failed": "by an event, or by its end",
    "run.interrupted": "told by the engine, or by the command",
    "secret.refused": "as a setting, in an address, or in any other text",
    "upload.not_a_table": "by its first bytes, or by its markup",
    "upload.not_found": "asked for, launched, or to be put away",
    "upload.too_many_columns": "of text, or of a sheet",
    "upload.workbook_damaged": "found by the archive or by one of its parts",
    "workflow.invalid": "when it is saved, or run",
    "workflow.no_poll": "rendered, or read",
    "workflow.not_found": "asked for, run, replayed, or to be put away",
}
"""Codes of one meaning that several places find out, and how they differ."""


def test_every_place_has_a_code_and_none_is_content_with_that_of_its_class() -> None:
    assert len(sites()) > 190
    assert [f"{site.place}: {site.sentence}" for site in sites() if site.code is None or site.code in GENERIC] == []
    assert [site for site in sites() if not re.fullmatch(r"[a-z_]+(\.[a-z_0-9]+)?", site.code or "")] == []


def test_a_code_has_one_meaning() -> None:
    counts = Counter(site.code for site in sites())
    assert {code for code, count in counts.items() if count > 1} == SAME_MEANING.keys()


def test_the_page_lists_every_code_with_what_happened() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "write it again: python -m tests.docs.errors_page"
    rows = re.findall(r"^\| `([a-z_.0-9]+)` \| (.+) \|$", render(), re.MULTILINE)
    assert {code for code, _ in rows} == {site.code for site in sites()}
    assert SAID_ELSEWHERE.keys() <= {code for code, _ in rows}
    assert [code for code, said in rows if not re.search(r"[a-zA-Z]{3}", said)] == [], "say it in SAID_ELSEWHERE"


def test_kinds_that_are_put_away_have_codes_of_their_own() -> None:
    known = {site.code for site in sites()}
    assert {f"{kind}.{what}" for kind in Kind.__args__ for what in ("not_found", "in_use", "built_in")} <= known
