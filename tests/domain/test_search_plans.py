"""Search plans: rows of queries out of templates."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.search_plans import Searches, plan_file, plan_searches
from enrichment_assets.registry.loader import builtin_pipelines, builtin_searches

SEARCHES = Searches.model_validate({
    "slug": "s", "title": "S", "pipeline": "p", "results": 10, "most_pages": 3,
    "industries": {
        "wealth": {"title": "Wealth", "queries": ['wealth in "{region}"', 'planners "{region}"']},
        "tax": {"title": "Tax", "queries": ['tax in "{region}"']},
    },
})  # fmt: skip


def planned(industries: list[str], regions: list[str], target: int = 1) -> list[tuple[str, str, str, int]]:
    rows = plan_searches(SEARCHES, industries, regions, target)
    return [(row.query, row.industry, row.region, row.page) for row in rows]


def test_each_query_of_each_industry_is_a_row_for_each_region_once() -> None:
    assert planned(["wealth", "tax", "wealth"], ["Boston, MA", "Erie", "Boston,  MA"]) == [
        ('wealth in "Boston, MA"', "Wealth", "Boston, MA", 1),
        ('planners "Boston, MA"', "Wealth", "Boston, MA", 1),
        ('wealth in "Erie"', "Wealth", "Erie", 1),
        ('planners "Erie"', "Wealth", "Erie", 1),
        ('tax in "Boston, MA"', "Tax", "Boston, MA", 1),
        ('tax in "Erie"', "Tax", "Erie", 1),
    ]
    assert [row[1] for row in planned([], ["Erie"])] == ["Wealth", "Wealth", "Tax"]


@pytest.mark.parametrize(("target", "pages"), [(1, 1), (10, 1), (11, 2), (20, 2), (21, 3), (100_000, 3)])
def test_a_higher_target_takes_more_pages_the_first_of_all_queries_first(target: int, pages: int) -> None:
    assert [row[3] for row in planned(["tax"], ["Erie"], target)] == list(range(1, pages + 1))
    both = planned(["wealth"], ["Erie"], 2 * target)
    assert [row[3] for row in both] == [page for page in range(1, pages + 1) for _ in range(2)]


def test_a_region_cannot_leave_its_quotes_and_equal_plans_are_equal_bytes() -> None:
    rows = plan_searches(SEARCHES, ["tax"], ['Erie" OR site:"x\n,'], 1)
    assert [row.query for row in rows] == ['tax in "Erie OR site: x ,"']
    assert plan_file(rows) == b'query,industry,region,page\n"tax in ""Erie OR site: x ,""",Tax,"Erie OR site: x ,",1\n'


@pytest.mark.parametrize(
    ("industries", "regions", "code", "said"),
    [
        (["welth"], ["Erie"], "discovery.industry_unknown", "did you mean 'wealth'"),
        (["tax"], [], "discovery.region_missing", "needs a region"),
        (["tax"], ['  " '], "discovery.region_invalid", "no region"),
        (["tax"], ["x" * 200], "discovery.region_invalid", "no region"),
    ],
)
def test_what_cannot_be_planned_is_refused(industries: list[str], regions: list[str], code: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as refused:
        planned(industries, regions)
    assert refused.value.code == code


def test_a_template_that_forgets_the_region_is_refused() -> None:
    forgets = {**SEARCHES.model_dump(), "industries": {"a": {"title": "A", "queries": ["firms"]}}}
    with pytest.raises(ValidationError, match=r"does not say where \{region\} goes"):
        Searches.model_validate(forgets)
    filtered = Searches.model_validate({**forgets, "region_in_query": False})
    assert [(row.query, row.region) for row in plan_searches(filtered, [], ["Erie"], 1)] == [("firms", "Erie")]
    with pytest.raises(ValidationError, match=r"says where \{region\} goes"):
        Searches.model_validate({**SEARCHES.model_dump(), "region_in_query": False})


@pytest.mark.parametrize(("slug", "counted"), [("fs", "choose-prospects"), ("fs-people", "choose-listed-people")])
def test_the_shipped_templates_name_the_seven_industries_and_a_pipeline_that_counts_to_a_target(
    slug: str, counted: str
) -> None:
    fs = builtin_searches()[slug]
    assert list(fs.industries) == [
        "wealth-management", "accounting", "equipment-financing", "insurance-agencies", "financial-advisors",
        "real-estate", "venture-capital",
    ]  # fmt: skip
    assert builtin_pipelines()[fs.pipeline].target == counted
