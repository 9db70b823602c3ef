"""A pipeline is put together: each press of a button sends the whole form, and the page says what is wrong where."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from enrichment_assets.services.batches.launching import launch
from enrichment_assets.services.catalog.configuration import add_client, get_pipeline
from enrichment_assets.services.uploads.upload import upload_file
from tests.actors import TESTER
from tests.console.conftest import Desk

PATH = "/clients/builds/builder"


@pytest.fixture(scope="module", autouse=True)
def client(desk: Desk) -> None:
    add_client(desk.hq, "builds", actor=TESTER)


def fields(page: str) -> list[tuple[str, str]]:
    """The steps of a page as its form sends them."""
    steps = re.findall('name="step" value="([^"]*)"', page)
    chosen = re.findall(r'<select name="join".*?</select>', page, re.DOTALL)
    joins = ["fallback" if "selected" in one else "then" for one in chosen]
    return [pair for step, join in zip(steps, joins, strict=True) for pair in (("step", step), ("join", join))]


def seen(page: str) -> dict[str, str]:
    """What a page says of the pipeline that it began with."""
    return dict(re.findall('name="(began|seen)" value="([^"]*)"', page))


async def press(desk: Desk, action: str, steps: list[tuple[str, str]], **more: str) -> tuple[int, str]:
    body = [*steps, ("action", action), *({"slug": "mine", "title": "Mine", "began": "", **more}.items())]
    async with desk.http() as http:
        sent = "&".join(f"{name}={value}" for name, value in body)
        answer = await http.post(PATH, content=sent, headers={"content-type": "application/x-www-form-urlencoded"})
    return answer.status_code, answer.text if answer.status_code == 200 else answer.headers["location"]


async def test_steps_are_added_moved_taken_out_and_saved(desk: Desk) -> None:
    _, page = await press(desk, "add", [], more="verify-email-via-hunter")
    _, page = await press(desk, "add", fields(page), more="match-person-via-apollo")
    _, page = await press(desk, "add", fields(page), more="normalise-name")
    assert [value for name, value in fields(page) if name == "step"] == [
        "verify-email-via-hunter",
        "match-person-via-apollo",
        "normalise-name",
    ]
    _, page = await press(desk, "up:2", fields(page))
    _, page = await press(desk, "up:1", fields(page))
    _, page = await press(desk, "down:1", fields(page))
    assert [value for name, value in fields(page) if name == "step"] == [
        "normalise-name",
        "match-person-via-apollo",
        "verify-email-via-hunter",
    ]
    _, page = await press(desk, "remove:2", fields(page))
    _, page = await press(desk, "remove:9", fields(page))
    status, to = await press(desk, "save", fields(page), deliver="deliver-to-webhook")
    assert (status, to) == (303, f"{PATH}?pipeline=mine&said=pipeline-saved")
    saved = get_pipeline(desk.hq, "mine", "builds").definition
    assert (saved.steps, saved.deliver) == (["normalise-name", "match-person-via-apollo"], ["deliver-to-webhook"])


async def test_a_fault_is_said_at_its_step_and_nothing_is_saved(desk: Desk) -> None:
    steps = [("step", "normalise-name"), ("join", "then"), ("step", "personalise-email"), ("join", "then")]
    status, page = await press(desk, "save", steps, slug="broken")
    assert status == 200
    second = page[page.index("<b>personalise-email</b>") :]
    assert 'class="fault"' in second.split("</li>")[0]
    assert 'class="fault"' not in page[: page.index("<b>personalise-email</b>")]
    assert "disabled>Save for this client" in page
    for wrong in ([("step", "no-such"), ("join", "then")], [("step", "normalise-name"), ("join", "then")] * 2):
        status, page = await press(desk, "save", wrong, slug="broken")
        assert (status, 'class="fault"' in page) == (200, True)
    assert (await press(desk, "save", steps[:2], slug="Not A Slug"))[0] == 200
    async with desk.http() as http:
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert (await http.post(PATH, content="step=normalise-name", headers=form)).status_code == 422
        assert (await http.get(PATH, params={"pipeline": "broken"})).status_code == 404


async def test_a_fallback_is_a_waterfall_and_what_the_builder_does_not_show_is_kept(desk: Desk) -> None:
    async with desk.http() as http:
        page = (await http.get(PATH, params={"pipeline": "research-and-write"})).text
        steps = fields(page)
        assert len(steps) == 28
    status, page = await press(
        desk, "check", steps, slug="research-and-write", began="research-and-write", title="Other"
    )
    assert "+title: Other" in page
    shared = get_pipeline(desk.hq, "research-and-write").definition
    waterfall = [
        ("step", "find-email-via-hunter"),
        ("join", "then"),
        ("step", "find-emails-via-fullenrich"),
        ("join", "fallback"),
    ]
    status, to = await press(desk, "save", [*steps[:4], *waterfall], slug="found", began="research-and-write")
    assert status == 303, to
    saved = get_pipeline(desk.hq, "found", "builds").definition
    assert saved.model_dump()["steps"][-1] == {"waterfall": ["find-email-via-hunter", "find-emails-via-fullenrich"]}
    assert saved.description == shared.description


async def test_nobody_s_pipeline_is_written_over_by_who_did_not_see_it(desk: Desk) -> None:
    steps = [("step", "normalise-name"), ("join", "then")]
    more = [*steps, ("step", "match-person-via-apollo"), ("join", "then")]
    status, _ = await press(desk, "save", steps, slug="shared-by-two", title="First")
    assert status == 303
    async with desk.http() as http:
        page = (await http.get(PATH, params={"pipeline": "shared-by-two"})).text
    ada, ben = seen(page), seen(page)
    assert ada["began"] == "shared-by-two"
    assert (await press(desk, "save", more, slug="shared-by-two", title="Ada", **ada))[0] == 303
    async with desk.http() as http:
        body = [*steps, *{"action": "save", "slug": "shared-by-two", "title": "Ben", **ben}.items()]
        sent = "&".join(f"{name}={value}" for name, value in body)
        form = {"content-type": "application/x-www-form-urlencoded"}
        late = await http.post(PATH, content=sent, headers=form)
        blind = await http.post(PATH, content=sent.replace("began=shared-by-two", "began="), headers=form)
    assert get_pipeline(desk.hq, "shared-by-two", "builds").definition.title == "Ada"
    for answer in (late, blind):
        assert answer.status_code == 412
        assert "Somebody else was faster" in answer.text
        assert "-title: Ada" in answer.text
        assert "+title: Ben" in answer.text
    knowing = await press(desk, "save", steps, slug="shared-by-two", title="Ben", **seen(late.text))
    assert knowing[0] == 303
    assert get_pipeline(desk.hq, "shared-by-two", "builds").definition.title == "Ben"


async def test_a_pipeline_says_which_batches_ran_it_and_what_is_different_since(desk: Desk, tmp_path: Path) -> None:
    way: list[tuple[str, str]] = []
    for slug, join in (("normalise-name", "then"), ("match-person-via-apollo", "then")):
        way += [("step", slug), ("join", join)]
    mail = [("step", "find-email-via-hunter"), ("join", "then"), ("step", "find-emails-via-fullenrich")]
    way += [*mail, ("join", "fallback")]
    assert (await press(desk, "save", way, slug="ways"))[0] == 303
    people = tmp_path / "people.csv"
    people.write_text("first_name,last_name,company_domain\nAda,Byron,kestrel.example\n")
    upload = upload_file(desk.hq, desk.settings, people, "builds", actor=TESTER).upload_id
    options: dict[str, Any] = {"client": "builds", "add_partition": lambda _: None, "actor": TESTER, "fresh": True}
    options["environment"] = dict.fromkeys(("APOLLO_API_KEY", "HUNTER_API_KEY", "FULLENRICH_API_KEY"), "a key")
    keys = [launch(desk.hq, desk.settings, upload, "ways", **options).batch_key for _ in range(2)]
    async with desk.http() as http:
        page = (await http.get(PATH, params={"pipeline": "ways"})).text
        assert "The steps as they are saved now" in page
        assert "Other steps than now" not in page
        assert [page.index(f'href="/batches/{key}"') for key in keys] == sorted(
            (page.index(f'href="/batches/{key}"') for key in keys), reverse=True
        )
        assert (await press(desk, "save", way[2:4], slug="ways", **seen(page)))[0] == 303
        page = (await http.get(PATH, params={"pipeline": "ways"})).text
    assert "The steps as they are saved now" not in page
    assert "-find-emails-via-fullenrich, where find-email-via-hunter missed" in page
