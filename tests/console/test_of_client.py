"""One lead by hand, and somebody who is kept out."""

from __future__ import annotations

from enrichment_assets.domain.suppression import read_identity
from enrichment_assets.services.catalog.configuration import add_client, add_pipeline, pipeline_from_steps
from enrichment_assets.services.people.suppressing import is_suppressed
from tests.actors import TESTER
from tests.console.conftest import Desk


async def test_a_lead_by_hand_goes_into_the_open_batch_and_somebody_is_kept_out(desk: Desk) -> None:
    add_client(desk.hq, "hand", actor=TESTER)
    add_pipeline(desk.hq, pipeline_from_steps("names", "normalise-name"), "hand", actor=TESTER)
    lead = {"pipeline": "names", "lead.first_name": "Ada", "lead.email": "ada@acme.example", "lead.title": " "}
    async with desk.http() as http:
        done = await http.post("/clients/hand/lead", data=lead)
        assert (done.status_code, done.headers["location"].endswith("?said=lead-taken")) == (303, True)
        assert (await http.post("/clients/hand/lead", data={"pipeline": "names"})).status_code == 422
        out = await http.post("/clients/hand/suppressions", data={"whom": "Ann@Acme.example", "reason": "asked us"})
        assert out.headers["location"] == "/clients/hand/suppressions?said=suppressed"
        page = (await http.get("/clients/hand/suppressions")).text
        assert "ann@acme.example" not in page.lower()
        assert "asked us" in page
        assert (await http.post("/clients/hand/suppressions", data={"whom": "??", "reason": "x"})).status_code == 422
    with desk.hq.transaction() as connection:
        row = connection.execute("select original_data, email from batch_items where first_name = 'Ada'").fetchone()
    assert row == {"original_data": {"first_name": "Ada", "email": "ada@acme.example"}, "email": "ada@acme.example"}
    add_client(desk.hq, "other", actor=TESTER)
    identity = read_identity("ann@acme.example")
    assert is_suppressed(desk.hq, desk.settings, identity, client="hand")
    assert not is_suppressed(desk.hq, desk.settings, identity, client="other")
