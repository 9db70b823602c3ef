"""Which value of a column wins, and how that is explained, losers included."""

from __future__ import annotations

import json

import pytest

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.services.insight.editing import edit_lead
from enrichment_assets.services.insight.explain import explain_lead
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import build_models, open_warehouse, publish_batch_sources
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead


def final(warehouse: object, column: str) -> object:
    return warehouse.execute(f"select {column} from final_leads").fetchall()[0][0]  # type: ignore[attr-defined]


def verified(email: str, verdict: str, score: int = 90) -> Answer:
    record = {"address": email, "status": verdict, "confidence": score / 100, "role": "verdict"}
    return Answer("verify-email-via-hunter", {}, {"email_records": [record]}, provider="hunter")


def found(email: str, score: int, age_days: int = 0) -> Answer:
    return Answer(
        "find-email-via-hunter", {}, {"email": email, "email_score": score}, provider="hunter", age_days=age_days
    )


def test_an_enrichment_beats_the_uploaded_cell_but_not_where_the_policy_says_so(build: Build) -> None:
    lead = Lead(
        {"title": "Clerk", "company_name": "ACME"}, [Answer("match", {}, {"title": "CTO", "company_name": "Acme Inc"})]
    )
    warehouse = build([lead])
    assert final(warehouse, "title") == "CTO"
    assert final(warehouse, "company_name") == "ACME"


def test_a_verified_address_beats_an_unverified_one_of_a_better_source(build: Build) -> None:
    lead = Lead({"email": "old@acme.com"}, [found("new@acme.com", 99), verified("old@acme.com", "valid")])
    warehouse = build([lead])
    assert final(warehouse, "email") == "old@acme.com"
    assert final(warehouse, "email_status") == "valid"


def test_an_address_that_a_verifier_refused_comes_last(build: Build) -> None:
    lead = Lead({"email": "old@acme.com"}, [found("new@acme.com", 99), verified("new@acme.com", "invalid")])
    warehouse = build([lead])
    assert final(warehouse, "email") == "old@acme.com"
    assert final(warehouse, "email_status") is None


@pytest.mark.parametrize(("score", "age_days", "winner"), [(95, 10, "new"), (50, 10, "old"), (95, 400, "old")])
def test_a_rule_counts_only_for_values_sure_and_young_enough(
    build: Build, score: int, age_days: int, winner: str
) -> None:
    lead = Lead({"email": "old@acme.com"}, [found("new@acme.com", score, age_days)])
    assert final(build([lead]), "email") == f"{winner}@acme.com"


def test_the_placeholder_address_is_nobodys(build: Build) -> None:
    lead = Lead({}, [Answer("match", {}, {"email": "Email_Not_Unlocked@domain.com"})])
    warehouse = build([lead])
    assert final(warehouse, "email") is None
    assert warehouse.execute("select verdict, is_chosen from email_candidates").fetchall() == [("placeholder", False)]


def test_every_address_is_a_candidate_with_its_source_and_verdict(build: Build) -> None:
    lead = Lead(
        {"email": "a@acme.com"},
        [
            found("b@acme.com", 90),
            Answer("match", {}, {"email_records": [{"address": "c@home.example", "role": "candidate"}]}),
            verified("b@acme.com", "valid"),
        ],
        details={
            "email_records": [
                {"address": "a@acme.com", "column": "Email"},
                {"address": "b@acme.com", "column": "Secondary Email", "role": "candidate"},
            ]
        },
    )
    rows = (
        build([lead])
        .execute(
            "select email, source_kind, coalesce(source_workflow, uploaded_column), verdict, is_chosen, why_not "
            "from email_candidates order by all"
        )
        .fetchall()
    )
    assert rows == [
        ("a@acme.com", "upload", "Email", None, False, "outranked"),
        ("b@acme.com", "upload", "Secondary Email", "valid", True, None),
        ("b@acme.com", "workflow", "find-email-via-hunter", "valid", True, None),
        ("c@home.example", "workflow", "match", None, False, "kept_beside"),
    ]


def test_a_persons_correction_beats_every_source_and_says_who_made_it(build: Build, settings: Settings) -> None:
    cited = {"at": "role", "input": "page", "quote": "our CTO", "start": 812}
    answer = Answer("match", {}, {"title": "CTO", "mood": "good"}, citations={"title": [cited], "mood": [cited]})
    lead = Lead({"title": "Clerk", "phone": "1"}, [answer])
    item = build([lead], batch_key="b").execute("select item_id from final_leads").fetchall()[0][0]
    edit_lead(hq_of(settings), settings, "b", item, "title", "wrong", by="bob", actor=TESTER)
    right, why = "Chief of Staff", "her own page"
    edit_lead(hq_of(settings), settings, "b", item, "title", right, by="ada", note=why, actor=TESTER)
    edit_lead(hq_of(settings), settings, "b", item, "phone", None, by="ada", actor=TESTER)
    publish_batch_sources(hq_of(settings), settings, "b")
    build_models(settings, "b")
    assert open_warehouse(settings).execute("select title, phone from final_leads").fetchall() == [
        ("Chief of Staff", None)
    ]
    chain = explain_lead(hq_of(settings), settings, "b", item, "title")[0]
    assert [(link.wins, link.value, link.source) for link in chain.links] == [
        (True, "Chief of Staff", "corrected by ada"),
        (False, "CTO", "match"),
        (False, "Clerk", "upload"),
    ]
    assert chain.final == "Chief of Staff"
    assert "correction" in chain.because
    assert [list(link.citations) for link in chain.links] == [[], [cited], []]  # what a model gave says where it stands
    provenance = "select field, citations from final_leads_provenance where field in ('mood', 'title') order by 1"
    found = open_warehouse(settings).execute(provenance).fetchall()
    assert [(field, citations and json.loads(citations)) for field, citations in found] == [
        ("mood", [cited]),
        ("title", None),
    ]


def test_only_values_of_a_lead_can_be_corrected(build: Build, settings: Settings) -> None:
    build([Lead({})], batch_key="b")
    with pytest.raises(ConfigurationError, match="cannot be corrected"):
        edit_lead(hq_of(settings), settings, "b", 1, "cost", "0", by="ada", actor=TESTER)
    with pytest.raises(NotFoundError, match="no item 999"):
        edit_lead(hq_of(settings), settings, "b", 999, "title", "x", by="ada", actor=TESTER)


def test_every_value_of_final_leads_has_its_provenance(build: Build) -> None:
    lead = Lead(
        {"first_name": "Ada", "email": "a@acme.com"},
        [Answer("match", {}, {"title": "CTO", "company_employee_count": 12, "mood": "good"})],
    )
    warehouse = build([lead])
    rows = warehouse.execute(
        "select field, value, source_kind, source_workflow, source_provider, fetched_at is not null "
        "from final_leads_provenance order by field"
    ).fetchall()
    assert rows == [
        ("company_employee_count", "12", "workflow", "match", "apollo", True),
        ("email", "a@acme.com", "upload", None, None, True),
        ("first_name", "Ada", "upload", None, None, True),
        ("mood", "good", "workflow", "match", "apollo", True),
        ("title", "CTO", "workflow", "match", "apollo", True),
    ]
    assert final(warehouse, "company_employee_count") == 12
    assert final(warehouse, "other_fields") == '{"mood":"good"}'


def test_a_lead_without_any_answer_is_still_a_lead(build: Build) -> None:
    warehouse = build([Lead({}), Lead({"first_name": "A"}, [Answer("match", status="FAILED", outcome=None)])])
    assert warehouse.execute("select row_number, steps, steps_failed from final_leads order by 1").fetchall() == [
        (1, 0, 0),
        (2, 1, 1),
    ]


def test_explaining_what_is_not_there_says_so(build: Build, settings: Settings) -> None:
    build([Lead({"title": "x"})], batch_key="b")
    with pytest.raises(NotFoundError, match="no item 999"):
        explain_lead(hq_of(settings), settings, "b", 999)
    with pytest.raises(NotFoundError, match="no field `nonsense`"):
        explain_lead(hq_of(settings), settings, "b", 1, "nonsense")
    with pytest.raises(NotFoundError, match=r"no field `emial`.* Did you mean 'email'"):
        explain_lead(hq_of(settings), settings, "b", 1, "emial")
    with pytest.raises(NotFoundError, match="there is no batch 'other'"):
        explain_lead(hq_of(settings), settings, "other", 1)
