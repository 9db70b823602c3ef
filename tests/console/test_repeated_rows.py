"""An upload is looked at for people who are in it twice, or whom the client has already."""

from __future__ import annotations

import re
from pathlib import Path

from enrichment_assets.services.batches.repeated_rows import Repeats, repeats_of
from enrichment_assets.services.uploads.upload import upload_file
from tests.actors import TESTER
from tests.console.conftest import Desk, Filled
from tests.warehouse.hq_data import Answer, Lead

ROWS = """first_name,last_name,email,company_name,linkedin_url
Ada,Byron,ada@kestrel.example,Kestrel,
Bo,Bell,bo@kestrel.example,Kestrel,https://www.linkedin.com/in/bo-bell
A.,Byron,ADA@Kestrel.example,Kestrel Ltd,
Cy,Dee,,Merlin,
Bo,Bell,bo@private.example,Merlin,linkedin.com/in/Bo-Bell/
Dan,<b>Eve</b>,dan@merlin.example,Merlin,
"""


async def test_who_is_in_it_twice_or_known_already_is_named(desk: Desk, batch: Filled, tmp_path: Path) -> None:
    found = [Answer("match-person-via-apollo", {}, {"title": "CTO"})]
    key = batch([Lead({"full_name": "Dan Eve", "email": "dan@merlin.example"}, found)])
    with desk.hq.transaction() as connection:  # as a run notes that has laid it out
        connection.execute("update batches set items_created_at = now() where batch_key = %s", (key,))
    people = tmp_path / "people.csv"
    people.write_text(ROWS)
    number = upload_file(desk.hq, desk.settings, people, "acme", actor=TESTER).upload_id
    said = repeats_of(desk.hq, desk.settings, number)
    assert said == Repeats(6, 1, 2, 1, said.shown)
    assert [(one.number, one.earlier, one.is_known) for one in said.shown] == [
        (3, 1, False),
        (5, 2, False),
        (6, None, True),
    ]
    async with desk.http() as http:
        assert f'href="/uploads/{number}/repeats"' in (await http.get(f"/uploads/{number}")).text
        page = (await http.get(f"/uploads/{number}/repeats")).text
    text = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert "Of 6 rows, 2 name somebody whom an earlier row names, and 1 names a lead that" in text
    assert "&lt;b&gt;Eve&lt;/b&gt;" in page
    assert "an earlier batch" in text
