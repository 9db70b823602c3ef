"""What somebody does about a batch and about a client's money: errors by class, retries, budgets, what was spent."""

from __future__ import annotations

import re

from enrichment_assets.domain.access import Role
from enrichment_assets.services.access.users import add_user
from enrichment_assets.services.operations.history import list_history
from tests.actors import TESTER
from tests.console.conftest import Desk, Filled
from tests.warehouse.hq_data import Answer, Lead

MATCH = "match-person-via-apollo"


def failing(reason: str, error_class: str) -> Lead:
    answer = Answer(MATCH, None, status="FAILED", outcome=None, reason=reason, error_class=error_class, cost="0")
    return Lead({"full_name": f"Ada {error_class}"}, [answer])


def words(page: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", page).split())


async def test_errors_stand_by_class_and_are_asked_again_by_class_provider_and_day(desk: Desk, batch: Filled) -> None:
    found = Lead({"full_name": "Bob"}, [Answer(MATCH, {}, {"title": "CTO"})])
    key = batch(
        [*(failing(f"timed out {n}", "retryable") for n in range(5)), failing("no such field", "contract"), found]
    )
    async with desk.http() as http:
        page = (await http.get(f"/batches/{key}")).text
        table = words(page.partition("Errors by class")[2].partition("</table>")[0])
        assert re.search(
            rf"{MATCH} FAILED retryable 5 row \d+ timed out 0 row \d+ timed out 1 row \d+ timed out 2", table
        )
        assert table.index("retryable 5") < table.index("contract 1")
        assert "timed out 3" not in table
        assert f"partition={key}" in page or "Partition in Dagster" not in page
        asked = {"workflow": MATCH, "error_class": "retryable"}
        would = words((await http.post(f"/batches/{key}/retry", data=asked)).text)
        assert f"Only workflow {MATCH}, error class retryable" in would
        assert "5 that failed" in would
        other = await http.post(f"/batches/{key}/retry", data={"provider": "hunter"})
        assert (other.status_code, "asks no provider" in other.text) == (404, True)
        later = words((await http.post(f"/batches/{key}/retry", data={"since": "2999-01-01"})).text)
        assert "Nothing failed or was cancelled there" in later
        assert (await http.post(f"/batches/{key}/retry", data={"since": "soon"})).status_code == 422
        done = await http.post(f"/batches/{key}/retry", data=asked | {"sure": "yes"})
        assert done.headers["location"] == f"/batches/{key}?said=retried"
        left = words((await http.get(f"/batches/{key}")).text.partition("Errors by class")[2].partition("</table>")[0])
        assert "retryable" not in left
        assert "contract 1" in left
    (action,) = [one for one in list_history(desk.hq, limit=20) if one.action == "batch.retry"]
    assert action.actor == "user:ada"


async def test_a_budget_is_changed_and_removed_and_today_and_the_month_are_counted(desk: Desk, batch: Filled) -> None:
    add_user(desk.hq, "bea", Role.REVIEWER, client="acme", actor=TESTER)
    key = batch([Lead({"full_name": "Cid"}, [Answer(MATCH, {}, {"title": "CTO"}, cost="0.25")])])
    async with desk.http() as http:
        before = (await http.get("/?client=acme")).text
        with desk.hq.transaction() as connection:
            connection.execute(
                "insert into provider_calls (client_id, batch_id, item_id, call_key, workflow_slug, subject_key, "
                "provider, operation, state, fence, cost, received_at) select s.client_id, s.batch_id, s.item_id, "
                "'spent' || n, s.workflow_slug, 'item:1', 'apollo', 'match', 'applied', 1, 0.25, "
                "now() - n * interval '40 days' from workflow_states s join batches b on b.id = s.batch_id, "
                "generate_series(0, 1) n where b.batch_key = %s and s.workflow_slug = %s",
                (key, MATCH),
            )
            connection.execute("update batches set finished_at = now() where batch_key = %s", (key,))
        assert "0.25 USD" in (await http.get("/?client=acme")).text
        assert "0.25 USD" not in before
        for sent, said in (
            ({"amount": "12"}, "budget-set"),
            ({"amount": "15.5", "workflow": ""}, "budget-set"),
            ({"amount": "3", "batch": key}, "budget-set"),
            ({"amount": "3", "batch": key, "action": "remove"}, "budget-removed"),
        ):
            assert (await http.post("/clients/acme/budget", data=sent)).headers["location"].endswith(said)
        assert (await http.post("/clients/acme/budget", data={"amount": ""})).status_code == 422
        page = (await http.get("/clients/acme")).text
        assert 'value="15.5"' in page
        assert "deliver-to-" in page.partition("Where leads can go")[2]
        people = words(page.partition("People who may see it")[2].partition("</ul>")[0])
        assert "ada owner of everything" in people
        assert "bea reviewer" in people
