"""The page before a launch: what the list lacks for which step, and what the batch may spend from its first call on."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.services.batches import looked_over
from enrichment_assets.services.batches.launching import launch, plan_launch
from enrichment_assets.services.batches.looked_over import LackingInput
from enrichment_assets.services.catalog.configuration import add_client
from enrichment_assets.services.operations.budgeting import list_budgets
from enrichment_assets.services.operations.history import list_history
from enrichment_assets.services.uploads.upload import upload_file
from tests.actors import TESTER
from tests.console.conftest import Desk

ROWS = """Surname,Haus,E-mail
Byron,Kestrel,ada@kestrel.example
Bell,Merlin,
Dee,,
,Osprey,
"""
KEYS = {"APOLLO_API_KEY": "a"}


@pytest.fixture(scope="module")
def upload(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> int:
    add_client(desk.hq, "kestrel", "Kestrel", actor=TESTER)
    path = tmp_path_factory.mktemp("lists") / "people.csv"
    path.write_text(ROWS)
    return upload_file(desk.hq, desk.settings, path, "kestrel", actor=TESTER).upload_id


def test_a_plan_says_which_step_lacks_which_field_in_how_many_rows_and_why(desk: Desk, upload: int) -> None:
    plan = plan_launch(desk.hq, desk.settings, upload, "apollo-basic", environment=KEYS)
    assert plan.unread == ("Haus",)
    lacking = {(one.workflow, one.fields): one for one in plan.lacking}
    domain = lacking["normalise-domain", ("company_website", "company_domain", "email")]
    assert (domain.rows, domain.after) == (3, ())
    assert lacking["match-person-via-apollo", ("email", "linkedin_url", "company_domain", "company_name")] == (
        LackingInput(
            "match-person-via-apollo",
            ("email", "linkedin_url", "company_domain", "company_name"),
            3,
            4,
            ("normalise-domain",),
        )
    )


def test_of_a_long_list_the_first_rows_say_what_it_lacks(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are read where companies are counted anyway."""
    monkeypatch.setattr(looked_over, "ROWS_READ", 3)
    path = tmp_path / "names.csv"
    path.write_text("First Name\n" + "Ada\n" * 7)
    number = upload_file(desk.hq, desk.settings, path, "kestrel", actor=TESTER).upload_id
    for pipeline, of in (("normalise-only", 3), ("apollo-basic", 7)):
        plan = plan_launch(desk.hq, desk.settings, number, pipeline, environment=KEYS)
        assert {(one.rows, one.of) for one in plan.lacking} == {(of, of)}


async def test_the_page_names_steps_and_columns_and_where_to_say_what_one_is(desk: Desk, upload: int) -> None:
    async with desk.http() as http:
        page = (await http.get(f"/uploads/{upload}/launch?pipeline=apollo-basic")).text
        shown = (await http.get(f"/api/v1/uploads/{upload}/plan?pipeline=apollo-basic")).json()
    text = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert (
        "normalise-domain is skipped for 3 of 4 rows: they have none of company_website, company_domain, email" in text
    )
    assert "These columns are read as no field: Haus" in text
    assert f'href="/uploads/{upload}#columns"' in page
    assert "3 rows skipped: an input is missing" in text
    assert {one["workflow"] for one in shown["lacking"]} >= {"normalise-domain", "match-person-via-apollo"}
    assert 'name="budget"' in page


def test_a_batch_has_its_budget_from_the_moment_at_which_it_is_there(desk: Desk, upload: int) -> None:
    seen: list[tuple[str, Decimal]] = []

    def look(key: str) -> None:
        seen.extend((one.batch or "", one.amount) for one in list_budgets(desk.hq, "kestrel") if one.batch == key)

    def launched(budget: str | None, limit: int | None = None) -> str:
        done = launch(
            desk.hq,
            desk.settings,
            upload,
            "apollo-basic",
            actor=TESTER,
            add_partition=look,
            environment=KEYS,
            batch_key="kestrel-budget",
            limit=limit,
            budget=budget,
        )
        return done.batch_key

    key = launched("0.05", limit=2)
    assert seen == [(key, Decimal("0.05"))]
    noted = list_history(desk.hq, client="kestrel", code="budget.set")
    assert [(one.name, one.after) for one in noted] == [(f"kestrel/{key}", {"amount": "0.05", "currency": "USD"})]
    launched("0.05")  # the rest of a pilot, with the same words
    with pytest.raises(ConfigurationError) as refused:
        launched("5")  # whoever may launch does not raise what somebody set
    assert refused.value.code == "launch.budget_is_set"
    with pytest.raises(ConfigurationError):
        launched("-1")
    assert [one.amount for one in list_budgets(desk.hq, "kestrel") if one.batch == key] == [Decimal("0.05")]


async def test_the_start_of_page_and_api_gives_the_budget_along(desk: Desk, upload: int) -> None:
    async with desk.http() as http:
        form = {"pipeline": "apollo-basic", "rows": "1", "budget": "no money"}
        assert (await http.post(f"/uploads/{upload}/launch", data=form)).status_code == 422
        asked = {"pipeline": "apollo-basic", "budget": "1.2345678"}
        answer = await http.post(f"/api/v1/uploads/{upload}/launch", json=asked)
    assert (answer.status_code, answer.json()["code"]) == (422, "money.too_fine")
