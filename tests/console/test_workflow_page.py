"""A workflow's page: what it found over time, which batches ran which version, who changed it; trying it on a row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from enrichment_assets.services.catalog.configuration import add_client, add_workflow
from enrichment_assets.services.operations.history import list_history
from tests.actors import TESTER
from tests.console.conftest import Desk, Filled
from tests.warehouse.hq_data import Answer, Lead

STARTER = Path(__file__).parents[2] / "enrichment_assets/web/console/starters/http.yaml"


def words(page: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", page).split())


async def test_a_workflow_shows_what_it_found_over_time_and_who_changed_it(
    desk: Desk, batch: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [
        Answer("match-person-via-apollo", {}, {"title": "CTO"}),
        Answer("match-person-via-apollo", outcome="not_found"),
    ]
    first = batch([Lead({"full_name": "Ada"}, answers[:1]), Lead({"full_name": "Bob"}, answers[1:])])
    second = batch([Lead({"full_name": "Cid"}, answers[:1])])
    text = STARTER.read_text()
    for title in ("One way", "Another way"):
        path = tmp_path / "workflow.yaml"
        path.write_text(re.sub(r"(?m)^title: .*$", f"title: {title}", text))
        saved = add_workflow(desk.hq, desk.settings, path, actor=TESTER)
    async with desk.http() as http:
        page = (await http.get("/workflows/match-person-via-apollo")).text
        chart = words(page.partition("Found, batch by batch")[2])
        assert chart.index(second) < chart.index(first)
        assert re.search(rf"{second} .*100% of 1 .*{first} .*50% of 2", chart)
        assert f'href="/batches/{first}"' in page.partition("Which batches ran which version")[2]
        changed = (await http.get(f"/workflows/{saved.slug}")).text.partition("Who changed it")[2]
        assert changed.count("workflow.save") == 2
        assert "before title: One way after title: Another way" in words(changed)


async def test_a_row_is_tried_after_what_it_would_send_was_shown(desk: Desk) -> None:
    add_client(desk.hq, "trier", actor=TESTER)
    place = "/clients/trier/try/normalise-name"
    async with desk.http() as http:
        form = (await http.get(place)).text
        assert 'name="field.full_name"' in form
        plan = (await http.post(place, data={"field.full_name": "LOVELACE, Ada"})).text
        assert "nothing was sent" in plan
        assert not [one for one in list_history(desk.hq, client="trier", limit=9) if one.action == "batch.try"]
        done = words((await http.post(place, data={"field.full_name": "LOVELACE, Ada", "sure": "yes"})).text)
        assert "COMPLETED (found)" in done
        assert re.search(r"first_name .*Ada", done)
        nothing = await http.post("/clients/trier/try/no-such-workflow", data={"field.email": "a@b.example"})
        assert nothing.status_code == 404
    (tried,) = [one for one in list_history(desk.hq, client="trier", limit=9) if one.action == "batch.try"]
    assert tried.actor == "user:ada"
