"""The grid of leads, a lead's page, and strings that somebody wrote to do harm."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import duckdb
import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.services.insight.lead_grid import Comparison, Filter, Grid, View, lead_grid
from enrichment_assets.warehouse import numbered_rows
from enrichment_assets.warehouse.files import Layout, quoted
from enrichment_assets.warehouse.writing import write_query
from tests.console.conftest import Desk, Filled
from tests.warehouse.hq_data import Answer, Lead

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></textarea></select><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "<!--<base href=//evil.example>",
    '=HYPERLINK("http://evil.example","x")',
    "\u202eevil\u202c \u2028\u2029",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "x" * 5_000,
)


class Tags(HTMLParser):
    """What a page has: elements, and their attributes that could run something."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.running: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.running += [
            (name, value)
            for name, value in attrs
            if name.startswith("on")
            or name in ("style", "srcdoc")
            or (name in ("href", "src", "action", "formaction") and not (value or "").startswith(("/", "?", "#")))
        ]


def tags(page: str) -> Tags:
    found = Tags()
    found.feed(page)
    return found


async def test_what_somebody_wrote_to_do_harm_is_shown_and_runs_nowhere(desk: Desk, batch: Filled) -> None:
    leads = [
        Lead(
            {"full_name": text, "company_name": text, "title": text},
            [Answer("match-person-via-apollo", {"x": text}, {"industry": text}, reason=text)],
        )
        for text in HOSTILE
    ]
    key = batch(leads)
    async with desk.http() as http:
        answer = await http.get(f"/batches/{key}/leads?limit=100")
        assert answer.status_code == 200
        pages = [answer.text]
        items = sorted(set(map(int, re.findall(rf"/batches/{key}/leads/(\d+)", answer.text))))
        assert len(items) == len(HOSTILE)
        for item in items:
            page = await http.get(f"/batches/{key}/leads/{item}")
            assert page.status_code == 200
            pages.append(page.text)
        for path in (f"/batches/{key}", "/", "/batches", f"/batches/{key}/review", f"/log?actor={HOSTILE[0]}"):
            pages.append((await http.get(path)).text)
        for text in HOSTILE[:9]:
            for params in ({f"where.{text}": "is:x"}, {"where.title": f"contains:{text}"}, {"sort": text}):
                pages.append((await http.get(f"/batches/{key}/leads", params=params)).text)
            pages.append((await http.get("/careers", params={"organisation": text})).text)
            pages.append((await http.get(f"/clients/{text.replace('/', '')}")).text)
    for text in pages:
        found = tags(text)
        assert not found.running, found.running
        assert not found.names & {"img", "iframe", "base", "object", "embed", "style"}
        assert text.count("<script") == 1  # ours, which is a file
        assert "49{%" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in pages[0]
    assert len(pages[0]) < 150_000


@pytest.fixture(scope="module")
def grown(desk: Desk) -> str:
    people = [
        Lead({"full_name": f"Person {n:02}", "company_name": "Acme" if n % 3 else "Globex GmbH", "title": title})
        for n, title in enumerate(["CTO", "100% owner", 'Head of "IT"', None, "cto, EMEA"] * 6)
    ]
    desk.build(people, batch_key="acme-grown", client="acme").close()
    return "acme-grown"


def look(desk: Desk, batch: str, **wanted: Any) -> Grid:
    return lead_grid(desk.hq, desk.settings, "acme", View(**wanted), batch=batch)


def test_a_grid_is_filtered_sorted_and_shown_from_any_row(desk: Desk, grown: str) -> None:
    everybody = look(desk, grown)
    assert (everybody.total, len(everybody.rows)) == (30, 30)
    assert everybody.columns[:3] == ("row_number", "full_name", "title")
    names = ("full_name",)
    for filters, total in (
        ([Filter("title", Comparison.CONTAINS, "cto")], 12),
        ([Filter("title", Comparison.IS, "CTO")], 6),
        ([Filter("title", Comparison.IS, "cto, emea")], 6),
        ([Filter("title", Comparison.EMPTY)], 6),
        ([Filter("title", Comparison.FILLED)], 24),
        ([Filter("title", Comparison.CONTAINS, "%")], 6),
        ([Filter("title", Comparison.CONTAINS, "_")], 0),
        ([Filter("title", Comparison.CONTAINS, '"it"')], 6),
        ([Filter("company_name", Comparison.IS, "globex gmbh"), Filter("title", Comparison.IS, "cto")], 2),
        ([Filter("company_name", Comparison.CONTAINS, "'; drop table final_leads; --")], 0),
    ):
        found = look(desk, grown, columns=names, filters=filters)
        assert (found.total, len(found.rows)) == (total, total), filters
    page = look(desk, grown, columns=names, sort="full_name", is_descending=True, offset=28, limit=10)
    assert (page.total, page.rows) == (30, (("Person 01",), ("Person 00",)))
    beyond = look(desk, grown, columns=names, offset=1_000)
    assert (beyond.total, beyond.rows) == (30, ())
    sorted_by_what_is_not_there = look(desk, grown, columns=("title",), sort="title", limit=500)
    assert [row[0] for row in sorted_by_what_is_not_there.rows][-6:] == [None] * 6


def test_tables_that_are_made_anew_are_shown_at_once_whatever_was_kept_of_the_ones_before(desk: Desk) -> None:
    key, names = "acme-remade", ("full_name", "title")
    desk.build([Lead({"full_name": f"Person {n}", "title": "CTO"}) for n in range(3)], batch_key=key).close()
    ctos = [Filter("title", Comparison.IS, "cto")]
    assert [look(desk, key, columns=names, filters=ctos, sort=sort).total for sort in (None, "title")] == [3, 3]
    path = Layout.of(desk.settings).model("final_leads", "acme", key)
    with duckdb.connect() as connection:
        again = path.with_suffix(".again")
        write_query(
            connection,
            f"select * replace ('CEO' as title) from {quoted(path)} where full_name <> 'Person 1' order by 1 desc, "
            "full_name desc",
            again,
        )
    again.replace(path)
    assert look(desk, key, columns=names, filters=ctos).total == 0
    by_item = look(desk, key, columns=names)
    assert by_item.rows == (("Person 0", "CEO"), ("Person 2", "CEO")), "the key's order, not the file's"
    assert look(desk, key, columns=names, sort="full_name", is_descending=True, offset=1).rows == (("Person 0", "CEO"),)
    path.unlink()
    assert (look(desk, key).total, look(desk, key).rows) == (0, ())


def test_a_page_far_behind_in_an_order_is_the_one_that_follows_the_pages_before(
    desk: Desk, grown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    views = [{"sort": "title"}, {"sort": "title", "filters": [Filter("company_name", Comparison.IS, "acme")]}]
    for view in views:
        near = [look(desk, grown, columns=("full_name",), offset=at, limit=7, **view).rows for at in range(0, 35, 7)]
        monkeypatch.setattr(numbered_rows, "NEAR", 0)
        far = [look(desk, grown, columns=("full_name",), offset=at, limit=7, **view).rows for at in range(0, 35, 7)]
        monkeypatch.undo()
        assert near == far
        rows = [row for page in far for row in page]
        assert len(rows) == len(set(rows)) == look(desk, grown, **view).total


def test_a_column_that_is_none_is_named_with_what_was_meant(desk: Desk, grown: str) -> None:
    for wanted in ({"columns": ["titel"]}, {"sort": "titel"}, {"filters": [Filter("titel", Comparison.IS, "x")]}):
        with pytest.raises(ConfigurationError, match=r"no column 'titel': .*title"):
            look(desk, grown, **wanted)
    with pytest.raises(ConfigurationError, match="no column"):
        look(desk, grown, columns=['title", (select 1) as "x'])


async def test_conditions_columns_order_and_row_stand_in_the_address(desk: Desk, grown: str) -> None:
    path = f"/batches/{grown}/leads"
    async with desk.http() as http:
        form = await http.get(path, params={"sort": "title", "column": "company_name", "how": "is", "text": "acme"})
        assert form.status_code == 303
        assert form.headers["location"] == f"{path}?sort=title&where.company_name=is%3Aacme"
        page = (await http.get(form.headers["location"])).text
        assert "Rows 1 to 20 of 20" in page
        assert 'aria-sort="ascending"' in page
        columns = await http.get(path, params={"show.email": "1", "show.title": "1", "columns": "full_name", "row": 3})
        assert columns.headers["location"] == f"{path}?columns=email%2Ctitle"
        assert "Rows 21 to 30 of 30" in (await http.get(path, params={"row": 21, "limit": 50})).text
        assert "There is no row 31: the last one is 30." in (await http.get(path, params={"row": 31})).text
        for params in ({"row": 0}, {"row": "x"}, {"limit": 501}, {"where.title": "like:x"}, {"what": "1"}):
            assert (await http.get(path, params=params)).status_code == 422, params


async def test_a_correction_on_a_lead_s_page_counts_and_is_the_user_s(desk: Desk, batch: Filled) -> None:
    key = batch([Lead({"full_name": "Ann Lee", "title": "CTO"})])
    async with desk.http() as http:
        item = re.findall(rf"/batches/{key}/leads/(\d+)", (await http.get(f"/batches/{key}/leads")).text)[0]
        fields = {"field": "title", "value": "Chief R&D officer", "note": "she said so"}
        done = await http.post(f"/batches/{key}/leads/{item}/edit", data=fields)
        assert (done.status_code, done.headers["location"]) == (303, f"/batches/{key}/leads/{item}?said=edited")
        page = (await http.get(done.headers["location"])).text
        assert "Corrected: your value counts" in page
        assert "Chief R&amp;D officer" in page
        assert "<td>correction</td><td>title</td>" in page
        wrong = await http.post(f"/batches/{key}/leads/{item}/edit", data={**fields, "field": "nothing_such"})
        assert wrong.status_code == 422
        assert 'role="alert"' in wrong.text
    with desk.hq.transaction() as connection:
        row = connection.execute("select actor, action from operator_actions order by id desc limit 1").fetchone()
    assert row == {"actor": "user:ada", "action": "lead.edit"}


async def test_ticked_rows_and_chosen_steps_are_shown_with_their_cost_and_then_asked(desk: Desk, batch: Filled) -> None:
    step = "match-person-via-apollo"
    failed = Answer(step, None, status="FAILED", outcome=None, reason="HTTP 500", error_class="retryable")
    found = Answer(step, {"x": 1}, {"industry": "retail"})
    key = batch([Lead({"full_name": "Ann Lee", "title": "CTO"}, [failed]), Lead({"full_name": "Bo Ek"}, [found])])
    path = f"/batches/{key}/leads"
    async with desk.http() as http:
        page = (await http.get(path)).text
        ann, bo = map(int, re.findall(r'name="item" value="(\d+)"', page))
        assert f'name="step.{step}"' in page
        nothing = await http.post(f"{path}-ask", data={"which": "ticked", f"step.{step}": "1"})
        assert (nothing.status_code, "tick the rows" in nothing.text) == (422, True)
        shown = await http.post(
            f"{path}-ask", data={"which": "ticked", "item": [str(ann), str(bo)], f"step.{step}": "1"}
        )
        words = " ".join(re.sub("<[^>]+>", " ", shown.text).split())
        assert re.search(r"match-person-via-apollo 1 failed 1 have an answer 1 [\d.]+ USD", words), words
        assert "Start: 1 call at most" in words
        assert "See what asking anew what has an answer costs" in words
        sent = {"which": "all", "where.title": "is:cto", f"step.{step}": "1", "sure": "yes"}
        refused = await http.post(f"{path}-ask", data={**sent, "seen": "0"})
        assert "1 calls at most by now, and 0 were shown" in refused.text
        done = await http.post(f"{path}-ask", data={**sent, "seen": "1"})
        assert (done.status_code, done.headers["location"]) == (303, f"/batches/{key}?said=asked")
    with desk.hq.transaction() as connection:
        rows = connection.execute(
            "select s.item_id, s.status from workflow_states s join batches b on b.id = s.batch_id "
            "where b.batch_key = %s and s.workflow_slug = %s order by 1", (key, step)
        ).fetchall()  # fmt: skip
        last = connection.execute("select actor, action from operator_actions order by id desc limit 1").fetchone()
    assert [(row["item_id"], row["status"]) for row in rows] == [(ann, "PENDING"), (bo, "COMPLETED")]
    assert last == {"actor": "user:ada", "action": "batch.ask"}


async def test_the_leads_of_all_batches_of_a_client_are_one_grid_and_one_file(desk: Desk, batch: Filled) -> None:
    first = batch([Lead({"full_name": "Zoe Marsh", "title": "=cmd()", "company_name": "Across"})])
    second = batch([Lead({"full_name": "Abe Marsh", "title": "CTO", "company_name": "Across"})])
    desk.build(
        [Lead({"full_name": "Kim Else", "company_name": "Across"})], batch_key="globex-1", client="globex"
    ).close()
    path, params = "/clients/acme/leads", {"where.company_name": "is:across", "sort": "full_name"}
    async with desk.http() as http:
        page = (await http.get(path, params=params)).text
        cells = re.findall(r'<td[^>]*><a href="([^"]+)">([^<]+)</a>', page)
        assert cells == [
            (f"/batches/{second}/leads/{item(desk, second)}", "Abe Marsh"),
            (f"/batches/{second}/leads", second),
            (f"/batches/{first}/leads/{item(desk, first)}", "Zoe Marsh"),
            (f"/batches/{first}/leads", first),
        ]
        assert "Rows 1 to 2 of 2" in page
        assert 'form="ask"' not in page
        file = await http.get(f"{path}-file", params={**params, "columns": "full_name,title", "kind": "csv"})
        assert file.headers["content-disposition"] == 'attachment; filename="acme-leads.csv"'
        assert file.text.splitlines() == ["\ufefffull_name,title", "Abe Marsh,CTO", "Zoe Marsh,'=cmd()"]
        for kind, start in (("xlsx", b"PK"), ("parquet", b"PAR1"), ("json", b"[")):
            assert (await http.get(f"{path}-file", params={**params, "kind": kind})).content.startswith(start)
        assert (await http.get(f"{path}-file", params={"kind": "exe"})).status_code == 422


def item(desk: Desk, batch: str) -> int:
    with desk.hq.transaction() as connection:
        row = connection.execute(
            "select i.id from batch_items i join batches b on b.id = i.batch_id where b.batch_key = %s", (batch,)
        ).fetchone()
    return int((row or {})["id"])
