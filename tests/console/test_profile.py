"""What a client offers: a launch that lacks it leads to the form, and from there back to the launch."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from enrichment_assets.services.catalog.configuration import add_client
from enrichment_assets.services.catalog.profiles import get_profile, set_profile
from enrichment_assets.services.uploads.options import UploadOptions
from enrichment_assets.services.uploads.upload import upload_file
from tests.actors import TESTER
from tests.console.conftest import Desk

LIST = Path(__file__).parents[2] / "examples" / "companies.csv"


async def test_a_launch_without_a_profile_leads_to_the_form_and_back(desk: Desk) -> None:
    add_client(desk.hq, "offers", actor=TESTER)
    options = UploadOptions(None, None, None, {})
    number = upload_file(desk.hq, desk.settings, LIST, "offers", actor=TESTER, options=options).upload_id
    launch = f"/uploads/{number}/launch?pipeline=research-and-write"
    async with desk.http() as http:
        page = (await http.get(launch)).text
        (way,) = re.findall(r'<a class="button" href="(/clients/offers/profile[^"]*)"', page)
        form = (await http.get(unescape(way))).text
        assert "Nothing is said yet" in form
        (to,) = re.findall('name="to" value="([^"]*)"', form)
        said = {"offer": "Routes,\r\nplanned.", "ideal_customer": "Carriers", "never_say": "cheap\r\n\r\n best \r\n"}
        sent = {"seen": "", "to": unescape(to), "sender.name": "Mara", **said}
        saved = await http.post("/clients/offers/profile", data=sent)
        assert saved.headers["location"] == f"{launch}&said=profile-saved"
        page = (await http.get(saved.headers["location"])).text
        assert "No budget is set" in page
        (to,) = re.findall('name="to" value="([^"]*)"', page)
        budgeted = await http.post("/clients/offers/budget", data={"to": unescape(to), "amount": "2"})
        assert budgeted.headers["location"] == f"{launch}&said=budget-set"
        page = (await http.get(launch)).text
    assert "Say what offers offers" not in page
    assert "2.00 USD" in page  # its budget
    stored = get_profile(desk.hq, "offers")
    assert (stored.version, stored.profile.offer, stored.profile.never_say) == (
        1,
        "Routes,\nplanned.",
        ["cheap", "best"],
    )
    assert stored.profile.sender is not None
    assert stored.profile.sender.name == "Mara"
    whole = re.findall(r"with everything that is found on the way</th><td class=\"n\"><b>([^<]+)</b>", page)
    (start,) = re.findall(r"<button[^>]*>Start, for at most ([^<]+)</button>", page)
    assert whole == [start]
    assert re.search(r"find-people-via-hunter finds further leads, \d+ at most", page)


async def test_only_what_was_changed_is_set_and_nothing_over_what_was_not_seen(desk: Desk) -> None:
    add_client(desk.hq, "words", actor=TESTER)
    set_profile(desk.hq, "words", actor=TESTER, values={"offer": "One", "personas": ["Head\nof sales", "CTO"]})
    path = "/clients/words/profile"
    async with desk.http() as http:
        page = (await http.get(path)).text
        (seen,) = re.findall('name="seen" value="([^"]*)"', page)
        same = {"seen": seen, "to": "", "offer": "One", "personas": "Head of sales\r\nCTO", "tone": ""}
        assert (await http.post(path, data=same)).headers["location"] == "/clients/words?said=profile-saved"
        assert get_profile(desk.hq, "words").version == 1
        evil = await http.post(path, data={**same, "to": "https://evil.example/"})
        assert evil.headers["location"] == "/?said=profile-saved"
        assert (await http.post(path, data={**same, "offer": "Two", "personas": ""})).status_code == 303
        late = await http.post(path, data={**same, "offer": "Three"})
        assert (late.status_code, get_profile(desk.hq, "words").profile.offer) == (412, "Two")
        assert ">Three</textarea>" in late.text
        assert "now: Two" in late.text
        (seen,) = re.findall('name="seen" value="([^"]*)"', late.text)
        wrong = await http.post(path, data={"seen": seen, "sender.email": "nobody", "offer": "Four"})
        assert wrong.status_code == 422
        assert ">Four</textarea>" in wrong.text
        assert (await http.post(path, data={"seen": seen, "price": "1"})).status_code == 422
    assert get_profile(desk.hq, "words").profile.personas == []
