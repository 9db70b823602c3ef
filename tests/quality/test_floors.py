"""The floors under the normalisers' accuracy hold, and the data sets are what they say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from enrichment_assets.sandbox.web.industries import INDUSTRIES
from tests.quality import scores
from tests.quality.cases import DATA, Case, read_cases
from tests.quality.courses import GROUPS
from tests.quality.scores import Finds, Score, measure, measured_names, normaliser_names, raise_floors, read_floors
from tests.quality.webs import WEBS


@pytest.mark.parametrize("normaliser", measured_names())
def test_no_normaliser_falls_below_its_floors(normaliser: str) -> None:
    assert [fault for score in measure(normaliser) for fault in score.below(read_floors())] == []


def test_every_floor_and_every_data_set_belongs_to_a_normaliser() -> None:
    assert sorted(path.name for path in DATA.iterdir()) == normaliser_names()
    groups = {f"{name}/{case.group}" for name in normaliser_names() for case in read_cases(DATA / name)}
    found = {f"prospects/{web}, {industry.slug}" for web in WEBS for industry in INDUSTRIES}
    found |= {f"courses/{web}, {group}" for web in WEBS for group in GROUPS}
    assert set(read_floors()) == groups | found


def test_no_case_stands_twice() -> None:
    for name in normaliser_names():
        seen: dict[str, Case] = {}
        for case in read_cases(DATA / name):
            first = seen.setdefault(json.dumps(case.given, sort_keys=True), case)
            assert first is case, f"{case.place} is {first.place} again"


def test_a_wrong_answer_counts_against_precision_and_an_empty_one_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "names").mkdir()
    rows = ["full_name,expected_last_name,source", "Jane Doe,Doe,x", "Ada Lovelace,Byron,x", "Madonna,Ciccone,x"]
    (tmp_path / "names" / "few.csv").write_text("\n".join(rows))
    monkeypatch.setattr(scores, "DATA", tmp_path)
    score = measure("names")[0]
    assert (score.name, score.cases, score.right, score.wrong) == ("names/few", 3, 1, 1)
    assert score.figures == {"accuracy": 0.333, "precision": 0.5}


def test_discovery_finds_nine_of_ten_and_fifty_for_each_that_is_none_in_webs_that_have_nothing_in_common() -> None:
    for web in WEBS:
        scores = [score for score in measure("prospects") if web in score.group]
        people, right, wrong = (
            sum(values) for values in zip(*[(s.cases, s.right, s.wrong) for s in scores], strict=True)
        )
        assert (right / people >= 0.9, right / (right + wrong) >= 0.98) == (True, True), (web, people, right, wrong)


def test_what_is_missing_counts_against_recall_and_what_is_none_against_precision() -> None:
    missing = scores.Miss(Case("a", {}, {}, "", ""), {}, wrong=False)
    finds = Finds("prospects", "a", cases=4, misses=[missing, scores.Miss(missing.case, {}, wrong=True)])
    assert (finds.right, finds.wrong, finds.figures) == (3, 1, {"recall": 0.75, "precision": 0.75})


def test_floors_are_raised_and_never_lowered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "FLOORS", tmp_path / "floors.json")
    scores.FLOORS.write_text('{"names/a": {"accuracy": 0.5, "precision": 1.0}}')
    better, new = Score("names", "a", cases=4), Score("names", "b", cases=2)
    better.misses = [scores.Miss(Case("a", {}, {}, "", ""), {}, wrong=True)]
    raise_floors([better, new])
    assert read_floors() == {
        "names/a": {"accuracy": 0.75, "precision": 1.0},
        "names/b": {"accuracy": 1.0, "precision": 1.0},
    }
    assert better.below(read_floors()) == ["names/a: precision 0.75 is below its floor 1.0"]


def test_a_case_without_a_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("full_name,expected_last_name,source\nJane Doe,Doe,\n")
    with pytest.raises(ValueError, match=r"bad\.csv:2: a case needs"):
        read_cases(tmp_path)
