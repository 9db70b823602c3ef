"""Conditions over fields: typed text to data, and whether it holds."""

from __future__ import annotations

from typing import Any

import pytest

from enrichment_assets.domain.conditions import Comparison, Condition, parse_condition, parse_conditions
from enrichment_assets.domain.errors import ConfigurationError

FIELDS: dict[str, Any] = {
    "industry": "Food & Beverages",
    "employees": 50,
    "revenue": 1.5,
    "score": "70",
    "is_customer": True,
    "tags": ["B2B", "Freight"],
    "founded": "2019-04-01",
    "phone": "+4930123456",
    "zip": "01067",
    "empty": "",
    "none": None,
    "nobody": [],
    "original.# Employees": "1,200",
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("industry=food & beverages", True),
        ("industry=food", False),
        ("industry~BEVERAGE", True),
        ("industry!=retail", True),
        ("industry!=Food & Beverages", False),
        ("employees=50", True),
        ("employees=50.0", True),
        ("employees>=50", True),
        ("employees>50", False),
        ("employees<=49.9", False),
        ("employees < 51", True),
        ("employees!=50", False),
        ("revenue>=1.50", True),
        ("score>=70", True),
        ("score>9", True),
        ("is_customer=TRUE", True),
        ("is_customer=1", False),
        ("tags=freight", True),
        ("tags=fre", False),
        ("tags~fre", True),
        ("tags!=b2b", False),
        ("founded>=2019-01-01", True),
        ("founded<2019-01-01", False),
        ("industry>=50", False),
        ("phone=+4930123456", True),
        ("zip=1067", False),
        ("empty=", True),
        ("none=", True),
        ("nobody=", True),
        ("missing=", True),
        ("industry=", False),
        ("industry!=", True),
        ("missing!=", False),
        ("missing!=x", True),
        ("missing=x", False),
        ("missing~x", False),
        ("missing>=0", False),
        ("none<5", False),
        ("original.# Employees=1,200", True),
        ("original.# Employees>=1000", False),
        ("industry=a=b", False),
        ("  industry  =  Food & Beverages  ", True),
    ],
)
def test_a_condition_holds_as_a_person_reads_it(text: str, holds: bool) -> None:
    assert parse_condition(text).holds(FIELDS) is holds


def test_what_is_typed_is_data_and_keeps_its_words() -> None:
    assert parse_condition("title=x'; drop table clients; --") == Condition(
        "title", Comparison.EQUAL, "x'; drop table clients; --"
    )
    assert parse_condition("company_employee_count>=50").said == "company_employee_count>=50"
    assert parse_condition("original.Web site~acme") == Condition("original.Web site", Comparison.CONTAINS, "acme")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("industry", "is no condition"),
        ("=food", "is no condition"),
        ("", "is no condition"),
        ("employees>many", "a number or a date"),
        ("employees>=", "a number or a date"),
        ("employees>nan", "a number or a date"),
        ("industry~", "is to contain"),
        ("industry=" + "x" * 1_001, "at most 1,000 characters"),
    ],
)
def test_what_is_no_condition_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        parse_condition(text)


def test_there_is_an_end_to_conditions() -> None:
    assert len(parse_conditions(["a=1"] * 50)) == 50
    with pytest.raises(ConfigurationError, match="at most 50"):
        parse_conditions(["a=1"] * 51)
