"""E-mail addresses and phone numbers as records: one rule in SQL and in the engine, whatever arrives when."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from enrichment_assets.domain.merge_policy import Given, Source
from enrichment_assets.domain.merging import merge
from enrichment_assets.services.insight.explain import explain_lead
from tests.harness.handles import hq_of
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead

WORKFLOWS = (
    "match-person-via-apollo",
    "find-email-via-hunter",
    "other-finder",
    "a-verifier",
    "reveal-phone-via-apollo",
)
ADDRESSES = [f"{name}@alder.example" for name in "abcd"]
NUMBERS = [f"+1202555010{n}" for n in range(4)]
STATUSES = ["valid", "VERIFIED", "catch-all", "INVALID", "unknown", "Quite Fine", "doNotMail", "risky", None]
ROLES = [None, None, None, "candidate", "verdict"]

sureness = st.sampled_from([None, 0.0, 0.3, 0.85, 0.9, 1.0])


def without_nulls(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value is not None}


emails = st.fixed_dictionaries(
    {
        "address": st.sampled_from(ADDRESSES),
        "status": st.sampled_from(STATUSES),
        "sub_status": st.sampled_from([None, "", "role_based_accept_all", "gold"]),
        "confidence": sureness,
        "rank": st.sampled_from([None, 0.0, 1.0]),
        "role": st.sampled_from(ROLES),
    }
).map(without_nulls)
phones = st.fixed_dictionaries(
    {
        "number": st.sampled_from(NUMBERS),
        "status": st.sampled_from(["valid_number", "no_status", "invalid_number", None]),
        "type": st.sampled_from(["mobile", "directDial", "work_hq", "other", "home", None]),
        "confidence": sureness,
        "rank": st.sampled_from([None, 0.0, 1.0]),
        "do_not_call": st.sampled_from([None, None, None, "not_found", "found"]),
        "role": st.sampled_from(ROLES),
    }
).map(without_nulls)
fields = st.fixed_dictionaries(
    {"title": st.sampled_from(["CTO", "Clerk"])},
    optional={
        "email_records": st.lists(emails, min_size=1, max_size=4),
        "phone_records": st.lists(phones, min_size=1, max_size=4),
    },
) | st.fixed_dictionaries(
    {"email": st.sampled_from(ADDRESSES)},
    optional={
        "email_status": st.sampled_from(["valid", "INVALID", "weird"]),
        "email_score": st.sampled_from([97, 40]),
        "phone": st.sampled_from(NUMBERS),
        "phone_type": st.sampled_from(["mobile", "work_hq"]),
    },
)
uploads = st.fixed_dictionaries(
    {"email": st.sampled_from([*ADDRESSES, None]), "phone": st.sampled_from([*NUMBERS, None])}
)
people = st.tuples(uploads, st.fixed_dictionaries(dict.fromkeys(WORKFLOWS, fields)))


def lead(uploaded: dict[str, Any], answers: dict[str, Any], order: Sequence[str], ages: Sequence[int]) -> Lead:
    made = [Answer(slug, {}, answers[slug], age_days=age) for slug, age in zip(order, ages, strict=True)]
    return Lead(without_nulls(uploaded), made)


def rearranged(uploaded: dict[str, Any], answers: dict[str, Any], chance: random.Random) -> Lead:
    """The same facts, come in another order: answers, their age, and the members of their lists."""
    order, ages = list(WORKFLOWS), [chance.randrange(100) for _ in WORKFLOWS]
    chance.shuffle(order)
    shuffled = {
        slug: {
            name: chance.sample(value, len(value)) if isinstance(value, list) else value
            for name, value in answers[slug].items()
        }
        for slug in WORKFLOWS
    }
    return lead(uploaded, shuffled, order, ages)


# A batch of people is one example; making it smaller would cost a build a step, and the message names the person.
@settings(max_examples=3, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.lists(people, min_size=25, max_size=40), st.randoms(use_true_random=False))
def test_no_value_depends_on_what_arrived_first_and_later_steps_see_what_final_leads_shows(
    shared: Build, drawn: list[tuple[dict[str, Any], dict[str, Any]]], chance: random.Random
) -> None:
    leads = [lead(uploaded, answers, WORKFLOWS, [0] * len(WORKFLOWS)) for uploaded, answers in drawn]
    leads += [rearranged(uploaded, answers, chance) for uploaded, answers in drawn]
    columns = "title, email, email_status, email_confidence, phone, phone_type, phone_confidence, phone_do_not_call"
    with shared(leads) as warehouse:
        rows = warehouse.execute(f"select {columns}, other_fields from final_leads order by row_number").fetchall()
    assert rows[: len(drawn)] == rows[len(drawn) :]
    for (uploaded, answers), row in zip(drawn, rows, strict=False):
        seen = merge(
            without_nulls(uploaded),
            [
                Given(Source("upload"), without_nulls(uploaded)),
                *(
                    Given(Source("workflow", slug, "apollo", place), answers[slug], datetime.now(UTC))
                    for place, slug in enumerate(WORKFLOWS)
                ),
            ],
            datetime.now(UTC),
        )
        email = (seen.get("email"), seen.get("email_verdict"), seen.get("email_confidence"))
        phone = (seen.get("phone"), seen.get("phone_type"), seen.get("phone_do_not_call"))
        assert (email, phone) == (row[1:4], (row[4], row[5], row[7])), (uploaded, answers)


def test_explain_names_every_candidate_with_its_verdict_whose_word_it_is_and_why_it_lost(build: Build) -> None:
    found = {
        "email_records": [
            {"address": "new@acme.com", "status": "verified", "confidence": 0.97},
            {"address": "home@acme.example", "role": "candidate", "type": "personal"},
        ],
        "phone_records": [
            {"number": "+12025550101", "status": "valid_number", "type": "work_hq"},
            {"number": "+12025550102", "status": "no_status", "type": "mobile", "do_not_call": "found"},
            {"number": "+12025550103", "status": "no_status", "type": "mobile"},
        ],
    }
    judged = {
        "email_records": [{"address": "new@acme.com", "status": "INVALID", "confidence": 0.01, "role": "verdict"}]
    }
    answers = [Answer("match-person-via-apollo", {}, found), Answer("a-verifier", {}, judged)]
    build([Lead({"email": "old@acme.com"}, answers)], batch_key="b").close()
    email, phone = (
        explain_lead(hq_of(build.settings), build.settings, "b", 1, column)[0] for column in ("email", "phone_type")
    )
    assert (email.field, email.final) == ("email", "old@acme.com")
    assert [(link.value, link.verdict, link.said, link.said_by, link.why_not) for link in email.links] == [
        ("old@acme.com", None, None, None, None),
        ("new@acme.com", "invalid", "INVALID", "a-verifier", "the other is invalid"),
        ("home@acme.example", None, None, None, "kept beside: not offered as the lead's own"),
    ]
    assert (phone.field, phone.final) == ("phone", "+12025550103")
    assert [(link.value, link.kind, link.verdict, link.said, link.why_not) for link in phone.links] == [
        ("+12025550103", "mobile", None, None, None),
        ("+12025550101", "hq", "valid", "valid_number", "a mobile number comes before a valid hq one"),
        ("+12025550102", "mobile", "do_not_call", "found", "do_not_call: never shown"),
    ]
