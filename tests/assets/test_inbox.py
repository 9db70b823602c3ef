"""The inbox folder: a file is one launch whatever happens to it or to its taker, and no file stops the others."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import xlsxwriter

from enrichment_assets.services.batches.launching import launch
from enrichment_assets.services.uploads.inbox_folder import take_in
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.assets.conftest import drop
from tests.chaos.faults import arm
from tests.chaos.points import INSERTED, LAUNCHED, MOVED, Point
from tests.harness.handles import hq_of

PIPELINE = "normalise-only"


def hidden(path: Path) -> list[str]:
    return [entry.name for entry in path.parent.iterdir() if entry.name.startswith(".")]


def batches(hq: psycopg.Connection[dict[str, object]]) -> list[object]:
    with hq.transaction():
        return [row["batch_key"] for row in hq.execute("select batch_key from batches order by id").fetchall()]


def killed_at(settings: Settings, point: Point) -> None:
    """Let a process look at the inbox that dies there."""
    process = os.fork()
    if process == 0:
        try:
            arm(point.fault())
            take_in(hq_of(settings), settings, actor=TESTER)
        finally:
            os._exit(0)
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


@contextmanager
def held_at(settings: Settings, point: Point) -> Iterator[None]:
    """Let a process look at the inbox that stands still there while the block lasts, and then ends well."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            arm(point.fault("hold", number=os.devnull))
            code = len(take_in(hq_of(settings), settings, actor=TESTER)) - 1
        finally:
            os._exit(code)
    _, status = os.waitpid(process, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)
        _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_file_that_cannot_be_read_is_refused_with_the_reason_beside_it(simulated: Settings) -> None:
    path = drop(simulated, PIPELINE, "list.csv", b"PK\x03\x04 this is a spreadsheet")
    (taken,) = take_in(hq_of(simulated), simulated, actor=TESTER)
    assert taken.batch_key is None
    assert (path.parent / "refused" / "list.csv").exists()
    assert "list.csv" in (path.parent / "refused" / "list.csv.reason.txt").read_text(encoding="utf-8")


def test_a_workbook_is_launched_and_a_list_of_unknown_columns_is_refused(simulated: Settings, tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "made.xlsx"))
    book.add_worksheet().write_column(0, 0, ["Email", "ada@acme.example"])
    book.close()
    drop(simulated, PIPELINE, "a.xlsx", (tmp_path / "made.xlsx").read_bytes())
    drop(simulated, PIPELINE, "b.csv", b"Spalte 1,Spalte 2\nx,y\n")
    workbook, unknown = take_in(hq_of(simulated), simulated, actor=TESTER)
    assert workbook.batch_key is not None
    assert "no column" in (unknown.problem or "")


def test_a_pipeline_that_does_not_exist_refuses_the_file_and_names_it(simulated: Settings, people: Path) -> None:
    drop(simulated, "no-such-pipeline", "list.csv", people.read_bytes())
    (taken,) = take_in(hq_of(simulated), simulated, actor=TESTER)
    assert "no-such-pipeline" in (taken.problem or "")


def test_a_file_that_still_grows_is_left_for_the_next_look(simulated: Settings, people: Path) -> None:
    path = drop(simulated, PIPELINE, "list.csv", people.read_bytes())
    os.utime(path, None)
    assert take_in(hq_of(simulated), simulated, actor=TESTER) == []
    assert path.exists()


def test_a_second_file_that_is_refused_under_the_same_name_has_its_own_reason(
    simulated: Settings, people: Path
) -> None:
    for content in (b"PK\x03\x04 this is a spreadsheet", b""):
        path = drop(simulated, PIPELINE, "list.csv", content)
        take_in(hq_of(simulated), simulated, actor=TESTER)
    names = sorted(entry.name for entry in (path.parent / "refused").iterdir())
    assert names == ["list (2).csv", "list (2).csv.reason.txt", "list.csv", "list.csv.reason.txt"]
    assert hidden(path) == []


def test_a_file_whose_taker_died_behind_its_launch_becomes_the_same_batch(
    simulated: Settings, people: Path, hq: psycopg.Connection[dict[str, object]]
) -> None:
    path = drop(simulated, PIPELINE, "list.csv", people.read_bytes())
    killed_at(simulated, LAUNCHED)
    assert path.exists()
    assert (
        [file.batch_key for file in take_in(hq_of(simulated), simulated, actor=TESTER)]
        == batches(hq)
        == ["acme-1-normalise-only-1"]
    )
    assert not path.exists()
    assert hidden(path) == []


def test_a_note_that_a_crash_has_left_is_removed_and_the_next_file_of_that_name_is_a_launch_of_its_own(
    simulated: Settings, people: Path, hq: psycopg.Connection[dict[str, object]]
) -> None:
    path = drop(simulated, PIPELINE, "list.csv", people.read_bytes())
    killed_at(simulated, MOVED)
    assert hidden(path) != []
    drop(simulated, PIPELINE, "list.csv", people.read_bytes())  # the note is there, and about another file
    (taken,) = take_in(hq_of(simulated), simulated, actor=TESTER)
    assert [taken.batch_key] == batches(hq)[1:] == ["acme-1-normalise-only-2"]
    drop(simulated, PIPELINE, "other.csv", people.read_bytes())
    killed_at(simulated, MOVED)
    assert take_in(hq_of(simulated), simulated, actor=TESTER) == []
    assert hidden(path) == []
    assert sorted(entry.name for entry in (path.parent / "taken").iterdir()) == [
        "list (2).csv",
        "list.csv",
        "other.csv",
    ]


def test_a_note_that_cannot_be_read_is_none(
    simulated: Settings, people: Path, hq: psycopg.Connection[dict[str, object]]
) -> None:
    for number, text in enumerate(("", "[]", '{"file": [1, 2, 3], "batch": "x"}', "\0" * 40)):
        path = drop(simulated, PIPELINE, "list.csv", people.read_bytes())
        path.with_name(".list.csv.enrich-launch").write_text(text)
        assert [file.batch_key for file in take_in(hq_of(simulated), simulated, actor=TESTER)] == batches(hq)[number:]


def test_a_file_that_cannot_be_moved_away_is_launched_once_and_keeps_no_other_from_being_taken(
    simulated: Settings, people: Path, hq: psycopg.Connection[dict[str, object]]
) -> None:
    stuck = drop(simulated, "apollo-basic", "list.csv", people.read_bytes())
    in_the_way = stuck.parent / "taken"
    in_the_way.symlink_to("nowhere")
    free = drop(simulated, PIPELINE, "list.csv", people.read_bytes() + b"Ada,Lovelace,,\n")
    for _ in range(2):
        problems = {
            file.path: file.problem for file in take_in(hq_of(simulated), simulated, actor=TESTER) if file.problem
        }
        assert list(problems) == [stuck]
        assert "stays where it is" in (problems[stuck] or "")
    assert not free.exists()
    in_the_way.unlink()
    (taken,) = take_in(hq_of(simulated), simulated, actor=TESTER)
    assert sorted(map(str, batches(hq))) == [taken.batch_key, "acme-2-normalise-only-1"]


def test_a_file_that_is_replaced_while_it_is_taken_is_taken_again(
    simulated: Settings, people: Path, hq: psycopg.Connection[dict[str, object]]
) -> None:
    path = drop(simulated, PIPELINE, "list.csv", people.read_bytes())
    with held_at(simulated, replace(LAUNCHED, when="before")):
        drop(simulated, PIPELINE, "list.csv", people.read_bytes() + b"Ada,Lovelace,,\n")
    assert path.exists()
    take_in(hq_of(simulated), simulated, actor=TESTER)
    assert batches(hq) == ["acme-1-normalise-only-1", "acme-2-normalise-only-1"]
    assert (path.parent / "taken" / "list.csv").read_bytes().endswith(b"Ada,Lovelace,,\n")


def test_a_launch_that_another_makes_in_the_same_moment_is_the_files_batch(
    simulated: Settings, people: Path, hq: psycopg.Connection[dict[str, object]]
) -> None:
    path = drop(simulated, PIPELINE, "list.csv", people.read_bytes())
    upload = upload_file(hq_of(simulated), simulated, people, "acme", actor=TESTER).upload_id
    with held_at(simulated, INSERTED):
        launch(
            hq_of(simulated), simulated, upload, PIPELINE, client="acme", add_partition=lambda _key: None, actor=TESTER
        )
    assert batches(hq) == ["acme-1-normalise-only-1"]
    assert (path.parent / "taken" / "list.csv").exists()
