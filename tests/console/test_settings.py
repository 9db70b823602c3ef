"""What a client has otherwise: a form that sets what is filled in, and gives back what is emptied."""

from __future__ import annotations

import re
from typing import Any

from enrichment_assets.services.catalog.configuration import add_client, get_client_config, get_workflow
from enrichment_assets.web.console.handlers.settings_of import settings_of
from tests.actors import TESTER
from tests.console.conftest import Desk

STEP = "match-person-via-apollo"


async def test_what_is_filled_in_is_set_and_what_is_emptied_is_given_back(desk: Desk) -> None:
    add_client(desk.hq, "sets", actor=TESTER)

    async def save(**fields: str) -> Any:
        async with desk.http() as http:
            form = {"workflow": STEP, "enabled": "on", "seen": config().seen_as, **fields}
            return await http.post("/clients/sets/settings", data=form)

    def config() -> Any:
        return get_client_config(desk.hq, "sets", STEP)

    done = await save(**{"set:limits.per_second": "2", "set:secrets.api_key": "SETS_APOLLO_KEY", "set:base_url": ""})
    assert done.headers["location"] == f"/clients/sets/settings?workflow={STEP}&said=settings-saved"
    assert (config().settings, config().secrets) == ({"limits.per_second": 2}, {"api_key": "SETS_APOLLO_KEY"})
    workflow = get_workflow(desk.hq, STEP).definition
    told = {one.path: one for one in settings_of(workflow, config(), {"SETS_APOLLO_KEY": "set"})}
    assert (told["limits.per_second"].own, told["secrets.api_key"].is_set) == ("2", True)
    assert told["secrets.api_key"].inherited == "APOLLO_API_KEY"
    assert settings_of(workflow, config(), {})[-1].is_set is False
    again = await save(**{"set:limits.per_second": "", "set:secrets.api_key": "SETS_APOLLO_KEY"}, enabled="off")
    assert again.status_code == 303
    assert (config().settings, config().enabled) == ({}, False)
    async with desk.http() as http:
        page = (await http.get("/clients/sets/settings", params={"workflow": STEP})).text
    assert page.count("its own") == 1
    assert "not set there" in page
    for wrong in ({"set:limits.per_second": "-1"}, {"set:limits.none": "1"}, {"set:secrets.api_key": "sk test 123"}):
        assert (await save(**wrong)).status_code == 422, wrong


async def test_what_somebody_else_set_meanwhile_is_shown_and_not_written_over(desk: Desk) -> None:
    add_client(desk.hq, "two", actor=TESTER)
    path, name = "/clients/two/settings", "set:limits.per_second"
    async with desk.http() as http:
        page = (await http.get(path, params={"workflow": STEP})).text
        (seen,) = re.findall('name="seen" value="([^"]*)"', page)
        form = {"workflow": STEP, "enabled": "on", "seen": seen}
        assert (await http.post(path, data={**form, name: "2"})).status_code == 303
        late = await http.post(path, data={**form, name: "9", "set:limits.concurrency": ""})
        assert (late.status_code, get_client_config(desk.hq, "two", STEP).settings) == (412, {"limits.per_second": 2})
        assert 'value="9"' in late.text
        assert "now: 2" in late.text
        (seen,) = re.findall('name="seen" value="([^"]*)"', late.text)
        assert (await http.post(path, data={**form, "seen": seen, name: "9"})).status_code == 303
    assert get_client_config(desk.hq, "two", STEP).settings == {"limits.per_second": 9}
