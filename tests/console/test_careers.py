"""Who moved from one organisation to another, whose job changed, and why an organisation's names are one."""

from __future__ import annotations

import re

from tests.console.conftest import Desk, Filled
from tests.warehouse.test_careers import person


def words(page: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", page.partition("<main")[2]).split())


async def test_moves_job_changes_and_an_organisation_with_its_aliases(desk: Desk, batch: Filled) -> None:
    leads = [
        person("Mo Mover", ("Globex GmbH", "2019", "Present"), ("Initech, Inc.", "2014", "2018")),
        person("Sam Stayer", ("INITECH", "2012", "Present")),
    ]
    key = batch(leads)
    async with desk.http() as http:
        moved = (await http.get("/careers/moves?from=initech&to=Globex")).text
        assert re.search(rf'href="/batches/{key}/leads/\d+">Mo Mover</a>', moved)
        assert "Sam Stayer" not in moved
        nowhere = await http.get("/careers/moves?from=initech&to=Nowhere")
        assert nowhere.status_code == 404
        assert 'name="from" value="initech"' in nowhere.text  # to try another
        assert "Mo Mover" in (await http.get("/careers/changes?since=2018-06-01&client=acme")).text
        assert "Mo Mover" not in (await http.get("/careers/changes?since=2021-01-01")).text
        assert (await http.get("/careers/changes?since=2021")).status_code == 422
        there = (await http.get("/careers?organisation=Initech&on=2013-01-01")).text
        assert "Sam Stayer" in there
        assert "Mo Mover" not in there
        (place,) = re.findall(r'href="(/organisations/org_\w+)\?', there)
        said = words((await http.get(place)).text)
        assert re.search(r"As the data of acme name it .* name name:initech .* nothing else is known of it", said)
        assert (await http.get("/organisations/org_0000000000000000")).status_code == 404
        sent = {"alias": "name:initech", "other": "name:globex", "reason": "bought", "back": place, "action": "join"}
        assert (await http.post("/clients/acme/organisations", data=sent | {"other": "globex"})).status_code == 422
        assert (await http.post("/clients/acme/organisations", data=sent | {"action": "undo"})).status_code == 422
        done = await http.post("/clients/acme/organisations", data=sent)
        assert done.headers["location"] == f"{place}?said=organisation-decided"
        page = (await http.get(place)).text
        assert "name:initech is one with name:globex bought user:ada" in words(page)
        (number,) = re.findall(r'name="decision" value="(\d+)"', page)
        undo = {"action": "undo", "decision": number, "back": "//evil.example"}
        assert (await http.post("/clients/acme/organisations", data=undo)).headers["location"].startswith("/?said")
        assert "is one with name:globex" not in words((await http.get(place)).text)


async def test_each_job_is_a_row_of_as_many_cells_as_there_are_headings(desk: Desk, batch: Filled) -> None:
    batch([person(f"Pat Number{number}", ("Hooli Ltd", "2019", "Present")) for number in range(6)])
    async with desk.http() as http:
        page = (await http.get("/careers?organisation=Hooli")).text
    head, _, body = page.partition("<tbody>")
    cells = [row.count("<td>") for row in body.partition("</tbody>")[0].split("<tr>")[1:]]
    assert cells == [head.count('<th scope="col">')] * 6
    assert all(re.search(rf'leads/\d+">Pat Number{number}</a>', body) for number in range(6))
