"""A whole batch, and not one value of a person in what Dagster keeps, in a log line or on the terminal."""

from __future__ import annotations

import csv
import random
import string
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from enrichment_assets.assets.jobs import ANALYTICS_JOB
from enrichment_assets.code_location import build_definitions
from enrichment_assets.installation.databases import open_databases
from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.batches.launching import launch
from enrichment_assets.services.insight.editing import edit_lead
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.store.inbox.callbacks import new_callbacks_by_batch
from enrichment_assets.warehouse.previews import MASK
from tests.actors import TESTER
from tests.assets.conftest import materialised, platform, run_batch_job
from tests.harness.handles import hq_of
from tests.leaks import Haystack, answered_values, sqlite_text

LETTERS = string.ascii_lowercase + "äéøžß"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as made:
        yield made


def made_up_people(count: int) -> list[dict[str, str]]:
    """People of whom every cell is a word or number that stands nowhere else; some cells are broken."""
    chance = random.Random(count)

    def word() -> str:
        return "".join(chance.choices(LETTERS, k=9)).title()

    def number() -> str:
        return "".join(chance.choices("23456789", k=7))

    def person(place: int) -> dict[str, str]:
        first, last, plain = word(), word(), "".join(chance.choices(string.ascii_lowercase, k=12))
        return {
            "First Name": first,
            "Last Name": f"{last} | <b>{word()}</b>" if place == 1 else last,
            "Title": f"{word()}\n{word()}" if place == 2 else word(),
            "Company": f"{first} {last}" if place % 2 else word(),
            "Website": f"https://{plain}.example",
            "Email": f"{plain} at home" if place == 3 else f"{plain}@{plain}.example" if place % 2 else "",
            "Mobile Phone": f"no {word()}" if place == 4 else f"+1 415 {number()}",
            "Person Linkedin Url": f"https://www.linkedin.com/in/{plain}-{number()}",
            "City": word(),
            "Notes": f"{word()} said: {word()}, {number()}",
        }

    return [person(place) for place in range(count)]


def test_no_value_of_a_person_reaches_an_event_a_log_line_or_the_terminal(
    simulated: Settings,
    sandbox: SandboxProcess,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    people = made_up_people(12)
    log_file = tmp_path / "engine.jsonl"
    monkeypatch.setenv("ENRICH_LOG", str(log_file))
    caplog.set_level("DEBUG")
    batch = launched(simulated, tmp_path / "list.csv", people)
    with ReceiverProcess(simulated) as receiver:
        settings = replace(simulated, receiver_url=receiver.url)
        run_batch_job(settings, instance, batch)
        with connect(open_databases(settings).hq) as hq:
            first = hq.execute("select min(id) as id from batch_items").fetchone()
        edit_lead(
            hq_of(settings),
            settings,
            batch,
            int(str(first and first["id"])),
            "title",
            "Zyxwvutsr",
            by="qponmlkji@acme.example",
            actor=TESTER,
        )
        made: dict[str, dict[str, object]] = {}
        while "final_leads" not in made:
            sandbox.flush_callbacks()
            with connect(open_databases(settings).hq, autocommit=True) as hq:
                while not new_callbacks_by_batch(hq):
                    pass
            made = materialised(run_batch_job(settings, instance, batch))
    analytics = build_definitions(platform=platform(simulated)).resolve_job_def(ANALYTICS_JOB)
    analytics.execute_in_process(instance=instance)
    assert "first\\_name" in str(made["final_leads"]["preview"])
    assert MASK not in str(made["final_leads"]["preview"])

    uploaded = {cell for person in people for cell in person.values()}
    values = uploaded | answered_values(settings) | {"Zyxwvutsr", "qponmlkji@acme.example"}
    assert len(values) > len(uploaded) + 20
    terminal = capfd.readouterr()
    for where, text in {
        "Dagster's storage": sqlite_text(tmp_path),
        "loggers": caplog.text,
        "the structured log": log_file.read_text(),
        "the terminal": terminal.out + terminal.err,
    }.items():
        assert Haystack(text).holds(values) == set(), where
    assert batch in sqlite_text(tmp_path) and batch in log_file.read_text()


def test_a_database_error_that_quotes_a_row_tells_its_place_and_no_value(
    simulated: Settings,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    people = made_up_people(12)
    caplog.set_level("DEBUG")
    batch = launched(simulated, tmp_path / "list.csv", people)
    with connect(open_databases(simulated).hq) as hq:
        hq.execute("alter table batch_items add constraint nobody check (id < 0)")
    with pytest.raises(dg.Failure, match=r"CheckViolation \(SQLSTATE 23514, table batch_items, constraint nobody\)"):
        run_batch_job(simulated, instance, batch, ["raw_apollo_uploads", "batch_items"])
    kept = sqlite_text(tmp_path)
    terminal = capfd.readouterr()
    values = {cell for person in people for cell in person.values()}
    assert Haystack(kept + caplog.text + terminal.out + terminal.err).holds(values) == set()
    assert "CheckViolation" in kept and "services/batches/items.py" in kept


def launched(settings: Settings, path: Path, people: list[dict[str, str]]) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, list(people[0]))
        rows.writeheader()
        rows.writerows(people)
    upload = upload_file(hq_of(settings), settings, path, "acme", actor=TESTER)
    return launch(
        hq_of(settings),
        settings,
        upload.upload_id,
        "full-demo",
        client="acme",
        add_partition=lambda _key: None,
        actor=TESTER,
    ).batch_key
