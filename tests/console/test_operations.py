"""What runs by itself is switched, persons are found and erased, and what people are told of is set: in the browser."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from enrichment_assets.services.operations.history import list_history
from enrichment_assets.store.outgoing import messages
from tests.access.connected import connect_all
from tests.console.conftest import Desk, Filled
from tests.warehouse.hq_data import Lead


def noted(desk: Desk) -> list[tuple[str, str]]:
    """(who, what) of the changes, the latest first."""
    return [(one.actor, one.action) for one in list_history(desk.hq, limit=50)]


async def test_a_person_is_erased_after_whom_was_typed_twice_and_the_certificate_comes_as_a_file(
    desk: Desk, batch: Filled
) -> None:
    batch([Lead({"full_name": "Zelda Quixby", "email": "zelda@quixby.example"}), Lead({"full_name": "Bob Brown"})])
    whom = {"email": "zelda@quixby.example"}
    async with desk.http() as http:
        found = await http.post("/clients/acme/persons/find", data=whom)
        assert found.status_code == 200
        assert "batch_items" in found.text
        assert "Quixby" not in found.text.replace("zelda@quixby.example", "")
        reason = {"reason": "Zelda Quixby asked us"}
        for typed in ("", "zelda", "bob@brown.example"):
            wrong = await http.post("/clients/acme/persons/erase", data=whom | reason | {"typed": typed})
            assert wrong.status_code == 422
        assert ("user:ada", "person.erase") not in noted(desk)
        done = await http.post("/clients/acme/persons/erase", data=whom | reason | {"typed": "Zelda@Quixby.example "})
        assert done.status_code == 303
        page = await http.get(done.headers["location"])
        assert "kept out from now on" in page.text
        assert "Quixby" not in page.text
        place = done.headers["location"].partition("?")[0]
        for kind, media in (("md", "text/markdown"), ("json", "application/json")):
            file = await http.get(f"{place}?as={kind}")
            assert media in file.headers["content-type"]
            assert re.search(rf'filename="erasure-\w{{16}}.{kind}"', file.headers["content-disposition"])
            assert "[redacted]" in file.text
        assert '<th scope="row"><a href' in (await http.get("/persons")).text
        assert (await http.get(place.replace("/clients/acme", ""))).status_code == 200
    assert noted(desk)[0] == ("user:ada", "person.erase")
    with desk.hq.transaction() as connection:
        left = connection.execute("select count(*) as n from batch_items where email like 'zelda%'").fetchone()
        kept = connection.execute("select count(*) as n from batch_items where full_name = 'Bob Brown'").fetchone()
    assert (left, kept) == ({"n": 0}, {"n": 1})


async def test_somebody_is_kept_out_of_all_clients_looked_up_and_let_in_again(desk: Desk, batch: Filled) -> None:
    batch([Lead({"full_name": "Cid Carter"})])
    whom = {"whom": "Cid@Carter.example"}
    async with desk.http() as http:
        assert "Not kept out." in (await http.post("/clients/acme/suppressions/check", data=whom)).text
        out = await http.post("/suppressions", data=whom | {"reason": "said no", "days": "30"})
        assert out.headers["location"] == "/suppressions?said=suppressed"
        assert (await http.post("/suppressions", data=whom | {"reason": "x", "days": "-1"})).status_code == 422
        seen = (await http.post("/clients/acme/suppressions/check", data=whom)).text
        assert re.search(r"email is kept out for every client since .* until .*, by user:ada: said no", seen)
        assert (await http.post("/clients/acme/suppressions/remove", data=whom)).status_code == 404
        lifted = await http.post("/suppressions/remove", data=whom)
        assert lifted.headers["location"] == "/suppressions?said=lifted"
        assert "Not kept out." in (await http.post("/suppressions/check", data=whom)).text
    assert noted(desk)[:2] == [("user:ada", "suppression.remove"), ("user:ada", "suppression.add")]


async def test_messages_that_were_given_up_are_seen_and_sent_again(desk: Desk, batch: Filled) -> None:
    batch([Lead({"full_name": "Dot Dash"})])
    names = connect_all(desk.hq, "acme")
    with desk.hq.transaction() as connection:
        connection.execute(
            "insert into outgoing_events (client_id, type, key, data) "
            "select client_id, 'lead.ready', 'test', '{}' from outgoing_webhooks where name = %s",
            (names["webhook"],),
        )
        messages.lay_out(connection)
        connection.execute("update outgoing_messages set state = 'given_up', last_status = 503, last_error = 'no room'")
    place = f"/clients/acme/webhooks/{names['webhook']}"
    async with desk.http() as http:
        page = (await http.get(f"{place}?state=given_up")).text
        assert "no room" in page
        assert "503" in page
        assert "no room" not in (await http.get(f"{place}?state=arrived")).text
        assert (await http.get(f"{place}?state=nonsense")).status_code == 422
        assert (await http.post(f"{place}/send-again", data={"since": "yesterday"})).status_code == 422
        again = await http.post(f"{place}/send-again", data={"since": f"{datetime.now(UTC):%Y-%m-%d}"})
        assert again.headers["location"] == f"{place}?said=sent-again"
        assert "given up" not in (await http.get(f"{place}?state=waiting")).text.partition("<tbody>")[2]
        assert names["source"] in (await http.get("/operations")).text
    assert noted(desk)[0] == ("user:ada", "webhook.recover")


async def test_an_alert_is_set_and_ended(desk: Desk) -> None:
    rule = {"kind": "batch.stuck", "threshold": "30", "channel": "slack", "variable": "OPS_SLACK_URL", "of": ""}
    async with desk.http() as http:
        for wrong in ({"kind": "nothing"}, {"threshold": "no"}, {"variable": "a b"}, {"quiet": "late"}):
            assert (await http.post("/alerts", data=rule | wrong)).status_code == 422, wrong
        assert (await http.post("/alerts", data=rule | {"quiet": "22:00-07:00"})).status_code == 303
        page = (await http.get("/alerts")).text
        assert "slack:OPS_SLACK_URL" in page
        (number,) = re.findall(r"/alerts/(\d+)/remove", page)
        assert (await http.post(f"/alerts/{number}/remove", content=b"", headers=FORM)).status_code == 303
        assert "/remove" not in (await http.get("/alerts")).text
    assert noted(desk)[:2] == [("user:ada", "alert.remove"), ("user:ada", "alert.add")]


FORM = {"content-type": "application/x-www-form-urlencoded"}
