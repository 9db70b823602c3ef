"""What a lead's value becomes in a typed property of HubSpot and a typed field of Airtable, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from enrichment_assets.domain.crm import airtable, hubspot
from enrichment_assets.domain.crm.values import Unfit

STAGES = [{"label": "Lead", "value": "lead"}, {"label": "Sales Qualified", "value": "salesqualifiedlead"},
          {"label": "Gone", "value": "gone", "hidden": True}]  # fmt: skip
COLOURS = [{"label": "Red", "value": "r"}, {"label": "Blue", "value": "b"}, {"label": "BLUE ", "value": "b2"}]
PROPERTIES: list[dict[str, Any]] = [
    {"name": "email", "type": "string"},
    {"name": "firstname", "label": "First name", "type": "string"},
    {"name": "phone", "type": "phone_number"},
    {"name": "score", "type": "number"},
    {"name": "subscribed", "type": "bool"},
    {"name": "met_on", "type": "date"},
    {"name": "met_at", "type": "datetime"},
    {"name": "stage", "type": "enumeration", "fieldType": "select", "options": STAGES},
    {"name": "colours", "type": "enumeration", "fieldType": "checkbox", "options": COLOURS},
    {"name": "hs_object_id", "type": "number", "modificationMetadata": {"readOnlyValue": True}},
]
PARIS = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("email", "Ann@Acme.EXAMPLE ", "ann@acme.example"),
        ("email", None, ""),
        ("firstname", "  ", ""),
        ("firstname", 7.0, "7"),
        ("firstname", ["CEO", "Founder"], "CEO, Founder"),
        ("phone", "+49 30 901820", "+49 30 901820"),
        ("score", "1,200", "1200"),
        ("score", 0, "0"),
        ("score", 1e21, "1000000000000000000000"),
        ("subscribed", False, "false"),
        ("subscribed", "yes", "true"),
        ("met_on", "March 1, 2026", "2026-03-01"),
        ("met_on", datetime(2026, 3, 1, 23, tzinfo=UTC), "2026-03-01"),
        ("met_at", datetime(2026, 3, 1, 9, tzinfo=PARIS), "2026-03-01T07:00:00Z"),
        ("met_at", date(2026, 3, 1), "2026-03-01T00:00:00Z"),
        ("stage", "sales  qualified", "salesqualifiedlead"),
        ("stage", "lead", "lead"),
        ("colours", "Red; b", "r;b"),
        ("colours", ["r", "RED"], "r"),
    ],
)
def test_hubspot_is_sent_text_in_the_form_of_the_property(name: str, value: Any, written: str) -> None:
    assert hubspot.property_value(name, value, PROPERTIES) == written


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("email", "ann at acme", "'email' takes an e-mail address"),
        ("score", "about ten", "'score' takes a number"),
        ("score", True, "'score' takes a number"),
        ("subscribed", "maybe", "'subscribed' takes yes or no"),
        ("met_on", "03/04/2026", "'met_on' takes a day"),
        ("met_on", "March 2026", "'met_on' takes a day"),
        ("stage", "Customer", "has no such option; it takes Lead, Sales Qualified"),
        ("stage", "gone", "has no such option"),
        ("colours", "Blue", "has several options of that name"),
        ("hs_object_id", "7", "is read-only: take it out"),
        ("first_name", "Ann", "HubSpot has no property 'first_name': create it there, .*did you mean 'firstname'"),
    ],
)
def test_what_is_no_value_of_a_property_is_refused_with_what_it_takes(name: str, value: Any, said: str) -> None:
    with pytest.raises(Unfit, match=said) as refused:
        hubspot.property_value(name, value, PROPERTIES)
    assert str(value) not in str(refused.value).replace("Sales Qualified", "").replace("'", " ").split()


CHOICES = {"choices": [{"name": "New"}, {"name": "Won"}]}
FIELDS: list[dict[str, Any]] = [
    {"id": "fld1", "name": "Key", "type": "singleLineText"},
    {"id": "fld2", "name": "Score", "type": "number"},
    {"id": "fld3", "name": "Status", "type": "singleSelect", "options": CHOICES},
    {"id": "fld4", "name": "Tags", "type": "multipleSelects", "options": CHOICES},
    {"id": "fld5", "name": "Met", "type": "date"},
    {"id": "fld6", "name": "Seen", "type": "dateTime"},
    {"id": "fld7", "name": "Active", "type": "checkbox"},
    {"id": "fld8", "name": "Total", "type": "formula"},
    {"id": "fld9", "name": "Phone", "type": "phoneNumber"},
]


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("Key", 12, "12"), ("fld2", "12", 12), ("Score", "0.5", 0.5), ("Score", "", None), ("Status", "won", "Won"),
        ("Tags", "new, WON", ["New", "Won"]), ("Met", "1 March 2026", "2026-03-01"), ("Active", "no", False),
        ("Seen", "2026-03-01T09:00:00+02:00", "2026-03-01T07:00:00.000Z"), ("Phone", "=1+1", "=1+1"),
    ],
)  # fmt: skip
def test_airtable_is_sent_the_type_of_the_field(name: str, value: Any, written: Any) -> None:
    assert airtable.cell_value(name, value, FIELDS) == written


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("Score", "many", "takes a number"), ("Status", "Lost", "it takes New, Won"), ("Tags", "New,Lost", "New, Won"),
        ("Total", 1, "is computed by Airtable"), ("Scores", 1, "the table has no field 'Scores'.*did you mean 'Score'"),
        ("Met", "2026", "takes a day"), ("Active", "perhaps", "yes or no"),
    ],
)  # fmt: skip
def test_what_is_no_value_of_a_field_is_refused_with_what_it_takes(name: str, value: Any, said: str) -> None:
    with pytest.raises(Unfit, match=said):
        airtable.cell_value(name, value, FIELDS)


def test_a_key_needs_a_place_where_it_is_unique_and_text() -> None:
    assert hubspot.key_faults("firstname", PROPERTIES)[0].startswith("the property 'firstname' is not unique")
    assert hubspot.key_faults("our_key", PROPERTIES)[0].startswith("there is no property 'our_key': create it")
    assert hubspot.key_faults("k", [{"name": "k", "type": "number", "hasUniqueValue": True}]) == [
        "the property 'k' has to be a single-line text"
    ]
    assert hubspot.key_faults("k", [{"name": "k", "type": "string", "hasUniqueValue": True}]) == []
    assert airtable.key_faults("Key", FIELDS) == []
    assert airtable.key_faults("Score", FIELDS) == ["the field 'Score' is number: it has to be text"]
    assert airtable.key_faults("Our key", FIELDS) == [
        "the table has no field 'Our key': create it as a single line of text"
    ]
