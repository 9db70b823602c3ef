"""Rules of the send gate are changed by a form: all of it or nothing, noted, and never over what nobody has seen."""

from __future__ import annotations

import re

from enrichment_assets.services.catalog.configuration import add_client
from enrichment_assets.services.deliveries.gate_rules import set_rule, show_rules
from enrichment_assets.services.operations.history import list_history
from tests.actors import TESTER
from tests.console.conftest import Desk

PAGE = "/clients/gated/gate"


def filled(page: str) -> dict[str, str]:
    """The form as a browser sends it."""
    (seen,) = re.findall(r'name="seen" value="([^"]*)"', page)
    inputs = dict(re.findall(r'<input id="[^"]*" name="(set:[^"]*)" value="([^"]*)"', page))
    selects = re.findall(r'<select id="[^"]*" name="(set:[^"]*)"[^>]*>(.*?)</select>', page, re.DOTALL)
    chosen = {name: re.findall(r'value="([^"]*)" selected', options)[0] for name, options in selects}
    return {"seen": seen, **inputs, **chosen}


async def test_rules_are_changed_by_a_form_and_nobody_writes_over_what_they_have_not_seen(desk: Desk) -> None:
    add_client(desk.hq, "gated", actor=TESTER)
    async with desk.http() as http:
        assert f'href="{PAGE}"' in (await http.get("/clients/gated")).text
        form = filled((await http.get(PAGE)).text)
        assert "set:suppressed.on" not in form  # nobody's to change
        changed = {**form, "set:company_cap.people": "5", "set:fresh.on": "off", "set:country.unknown": "opt_out"}
        saved = await http.post(PAGE, data=changed)
        assert saved.headers["location"] == f"{PAGE}?said=gate-saved"
        rules = {one.rule.value: one for one in show_rules(desk.hq, "gated") if one.changed}
        assert {name: (one.setting.is_on, dict(one.setting.settings)) for name, one in rules.items()} == {
            "company_cap": (True, {"people": 5, "days": 30}),
            "country": (True, {"unknown": "opt_out"}),
            "fresh": (False, {"days": 180}),
        }
        file = (await http.get(PAGE, params={"csv": "rules"})).text
        assert "company cap,more than 5 people of one company within 30 days" in file.replace('"', "")
        assert "on, people 5, days 30" in file
        noted = list_history(desk.hq, client="gated", code="gate.set")
        assert sorted(one.name for one in noted) == ["gated/company_cap", "gated/country", "gated/fresh"]
        assert {one.actor for one in noted} == {"user:ada"}
        form = filled((await http.get(PAGE)).text)
        wrong = await http.post(PAGE, data={**form, "set:fresh.on": "on", "set:company_cap.people": "0"})
        assert wrong.status_code == 422
        assert 'value="0"' in wrong.text  # what was typed is not lost
        assert not {one.rule.value: one for one in show_rules(desk.hq, "gated")}["fresh"].setting.is_on
        set_rule(desk.hq, "gated", "company_cap", {"people": "7"}, actor=TESTER)
        late = await http.post(PAGE, data={**form, "set:company_cap.people": "9"})
        assert late.status_code == 412
        assert "now: 7" in late.text
        again = await http.post(PAGE, data=filled(late.text))
        assert again.status_code == 303
        form = filled((await http.get(PAGE)).text)
        assert form["set:company_cap.people"] == "9"
        assert (await http.post(PAGE, data={**form, "reset": "company_cap"})).status_code == 303
        assert (await http.post(PAGE, data={**form, "reset": "fresh"})).status_code == 412
        assert (await http.post(PAGE, data={**form, "set:stopped.on": "off"})).status_code == 422
    assert sorted(one.rule.value for one in show_rules(desk.hq, "gated") if one.changed) == ["country", "fresh"]
