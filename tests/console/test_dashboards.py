"""Dashboards say the sums of the reports, over the chosen batches alone, as charts that need no script and no style."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from enrichment_assets.services.insight.dashboards.asking import dashboard
from enrichment_assets.services.insight.dashboards.panels import Choice, Panel
from enrichment_assets.services.insight.queries import ask, report_query
from tests.console.conftest import Desk, Filled
from tests.warehouse.hq_data import Answer, Lead

MATCH = "match-person-via-apollo"
HOSTILE = '<script>alert(1)</script>"&'


def leads(found: int, missed: int) -> list[Lead]:
    answer = Answer(MATCH, {}, {"title": HOSTILE, "email": "a@acme.example"})
    miss = Answer(MATCH, {}, {}, outcome="not_found")
    return [Lead({"full_name": f"Ada {n}"}, [answer if n < found else miss]) for n in range(found + missed)]


def panels(desk: Desk, choice: Choice) -> dict[str, Panel]:
    return {one.key: one for one in dashboard(desk.hq, desk.settings, choice, with_campaigns=True)}


def reported(desk: Desk, name: str, value: str, of: str, client: str = "acme") -> dict[str, int]:
    """What a named report says, summed over its batches: `of` -> `value`."""
    query, parameters = report_query(name, None)
    sums: dict[str, int] = {}
    with ask(desk.hq, desk.settings, query, parameters, client=client) as answer:
        for row in answer.rows():
            said = dict(zip(answer.columns, row, strict=True))
            sums[said[of]] = sums.get(said[of], 0) + said[value]
    return sums


async def test_a_dashboard_has_the_sums_of_the_reports_of_the_chosen_batches_alone(desk: Desk, batch: Filled) -> None:
    first, _ = batch(leads(3, 1)), batch(leads(2, 4))
    desk.build(leads(5, 0), batch_key="globex-1-test", client="globex").close()
    in_time = Choice("acme", first, datetime.now(UTC) - timedelta(days=400), datetime.now(UTC) + timedelta(days=1))
    all_of_acme, one = panels(desk, Choice("acme")), panels(desk, in_time)

    def stages(found: dict[str, Panel]) -> dict[str, float]:
        return {bar.label: bar.total for bar in found["funnel"].bars}

    assert stages(all_of_acme) == reported(desk, "funnel", "leads", "stage")
    assert (stages(all_of_acme)["discovered"], stages(one)["discovered"]) == (10, 4)
    (provider,) = all_of_acme["providers"].bars
    assert [(part.kind, part.value) for part in provider.parts] == [("found", 5), ("none", 5), ("failed", 0)]
    assert provider.note == "50% of 10"
    assert reported(desk, "providers", "found", "workflow_slug")[MATCH] == 5
    filled = {bar.label: bar.note for bar in all_of_acme["fill-rate"].bars}
    assert filled["title"] == "50%"
    later = panels(desk, Choice(since=datetime.now(UTC) + timedelta(days=1)))
    assert not any(panel.bars for panel in later.values())


async def test_charts_are_svg_without_a_style_that_says_everything_twice(desk: Desk, batch: Filled) -> None:
    batch(leads(1, 1))
    async with desk.http() as http:
        answer = await http.get("/dashboards?client=acme")
        for wrong in ("since=yesterday", "until=2026-13-01", "since=2026-1-1T00"):
            assert (await http.get(f"/dashboards?{wrong}")).status_code == 422
    page = answer.text
    assert "style=" not in page
    assert "<script>alert" not in page
    charts = re.findall(r'<svg class="chart".*?</svg>', page, re.DOTALL)
    assert len(charts) > 3
    for chart in charts:
        tree = ElementTree.fromstring(chart)
        named = (tree.get("aria-labelledby") or "").split()
        said = {part.get("id"): part.text for part in tree.iter() if part.get("id")}
        assert len([said[name] for name in named if said[name]]) == 2
    for key in ("Leads by stage", "Found by provider", "How full columns are"):
        assert f"<summary>{key} as a table</summary>" in page
