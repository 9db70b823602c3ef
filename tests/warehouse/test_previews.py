"""What people see of a model's rows: bounded, one line a row, and nothing that was not marked as safe to show."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import build_analytics, build_models, publish_batch_sources
from enrichment_assets.warehouse.previews import (
    CELL_CHARACTERS,
    MASK,
    PREVIEW_COLUMNS,
    PREVIEW_ROWS,
    Filled,
    filled_columns,
    masked_preview,
    preview_table,
)
from enrichment_assets.warehouse.project import Column, Model, load_project
from tests.harness.handles import hq_of
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Lead

PROJECT = """name: p
models: {p: {staging: {+materialized: view}}}
"""


def model_of(folder: Path, sql: str, *columns: tuple[str, str]) -> Model:
    """The model of a project that has just this one; a column is a name and its further keys in YAML."""
    staging = folder / "models" / "staging"
    staging.mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(PROJECT)
    (staging / "seen.sql").write_text(sql)
    listed = "".join(f"      - {{name: {name}, data_type: varchar{more}}}\n" for name, more in columns)
    (staging / "schema.yml").write_text(f"models:\n  - name: seen\n    columns:\n{listed}")
    return load_project(folder).model("seen")


def preview_of(model: Model) -> list[dict[str, str | None]]:
    with duckdb.connect() as connection:
        connection.execute(f"create view seen as {model.sql}")
        return masked_preview(connection, model)


def marked(mark: str) -> str:
    return f", config: {{meta: {{personal: {mark}}}}}"


def rendered(markdown: str) -> list[list[str]]:
    """The cells of the one table in a text, as the text that a browser shows."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    assert [t.type for t in tokens].count("table_open") == 1
    rows: list[list[str]] = []
    for token, inside in pairwise(tokens):
        if token.type == "tr_open":
            rows.append([])
        if token.type in ("td_open", "th_open"):
            parts = inside.children or []
            assert {part.type for part in parts} <= {"text", "text_special"}
            rows[-1].append("".join(part.content for part in parts))
    return rows


def test_a_value_is_shown_only_where_the_column_says_that_it_is_not_personal(tmp_path: Path) -> None:
    marks = {"said": "false", "personal": "true", "quoted": '"false"', "empty": "", "zero": "0", "unsaid": None}
    columns = [(name, "" if mark is None else marked(mark)) for name, mark in marks.items()]
    model = model_of(tmp_path, "select " + ", ".join(f"'Ada' as {name}" for name in marks), *columns)
    assert preview_of(model) == [{**dict.fromkeys(marks, MASK), "said": "Ada"}]


def test_a_masked_cell_still_tells_whether_there_is_a_value(tmp_path: Path) -> None:
    model = model_of(tmp_path, "select 'Ada' as name, cast(null as varchar) as phone", ("name", ""), ("phone", ""))
    assert preview_of(model) == [{"name": MASK, "phone": None}]


def test_rows_columns_and_characters_are_bounded(tmp_path: Path) -> None:
    names = [f"c{n}" for n in range(PREVIEW_COLUMNS + 40)]
    sql = "select " + ", ".join(f"repeat('x', 10000) as {name}" for name in names) + " from range(1000)"
    model = model_of(tmp_path, sql, *((name, marked("false")) for name in names))
    rows = preview_of(model)
    assert (len(rows), len(rows[0])) == (PREVIEW_ROWS, PREVIEW_COLUMNS)
    assert {len(value or "") for row in rows for value in row.values()} == {CELL_CHARACTERS}
    table = preview_table(rows, model.columns, 1000)
    assert table.startswith(f"{PREVIEW_ROWS} of 1,000 rows, {PREVIEW_COLUMNS} of {len(names)} columns.")
    assert len(table) < 55_000


def test_a_value_of_exactly_the_length_is_whole(tmp_path: Path) -> None:
    model = model_of(tmp_path, f"select repeat('é', {CELL_CHARACTERS}) as c", ("c", marked("false")))
    assert preview_of(model) == [{"c": "é" * CELL_CHARACTERS}]


@example("a | b\n\n| c |\r\n---")
@example("<script>alert(1)</script> & <img src=x onerror=alert(1)>")
@example("[click](javascript:alert(1)) ![x](http://x.example/p.png) <http://x.example>")
@example("`a` *b* __c__ ~~d~~ \\| &#124; &lt; [x]: y")
@given(st.text(max_size=CELL_CHARACTERS))
def test_any_text_stays_text_in_its_own_cell(text: str) -> None:
    column = Column("c", "VARCHAR", "", personal=False)
    seen = rendered(preview_table([{"c": text}, {"c": "next"}], [column], 2))
    expected = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    assert seen == [["c"], [expected], ["next"]]


def test_what_is_not_shown_is_said_in_words(tmp_path: Path) -> None:
    """Of 1,000 rows: every, all but one, a third, one, none; a view and a file say the same."""
    counts = {"every": 1000, "all_but_one": 999, "third": 333, "one": 1, "none_at_all": 0}
    sql = ", ".join(f"case when n < {count} then 'Ada' end as {name}" for name, count in counts.items())
    model = model_of(
        tmp_path,
        f"select n::varchar as id, {sql} from range(1000) r(n)",
        ("id", marked("false")),
        *((c, "") for c in counts),
    )
    with duckdb.connect() as connection:
        connection.execute(f"create view seen as {model.sql}")
        connection.execute(f"copy seen to '{tmp_path}/seen.parquet' (row_group_size 200)")
        preview = masked_preview(connection, model)
        of_view = filled_columns(connection, model, None)
        of_file = filled_columns(connection, model, tmp_path / "seen.parquet")
    assert of_view == of_file == Filled(1000, counts)
    table = preview_table(preview, model.columns, 1000, of_view)
    assert rendered(table)[:2] == [["id"], ["0"]]
    assert MASK not in table
    assert table.endswith(
        "Filled, and not shown because it can be personal (of 1,000 rows):\n\n"
        "- in every row: every\n"
        "- in some: all\\_but\\_one in 999 (99 %), third in 333 (33 %), one in 1 (1 %)\n"
        "- in none: none\\_at\\_all"
    )


def test_no_rows_are_said_in_words() -> None:
    columns = [Column("c", "VARCHAR", "")]
    assert preview_table([], columns, 0) == "No rows."
    assert preview_table([], columns, 7) == "7 rows, none of them of the first 1,000 items."


def leads(count: int) -> list[Lead]:
    return [Lead({"first_name": f"Ada{n}", "email": f"ada{n}@byron.example"}) for n in range(count)]


@pytest.mark.parametrize("items_a_chunk", [200_000, 3])
def test_a_preview_changes_neither_rows_nor_files(build: Build, settings: Settings, items_a_chunk: int) -> None:
    build(leads(10), batch_key="b")
    plain = {r.name: r.rows for r in build_models(settings, "b", items_a_chunk=items_a_chunk)}
    seen = build_models(settings, "b", previews=True, items_a_chunk=items_a_chunk)
    assert {r.name: r.rows for r in seen} == plain
    assert {r.name: len(r.preview) for r in seen} == {name: min(rows, PREVIEW_ROWS) for name, rows in plain.items()}
    lead = next(r for r in seen if r.name == "final_leads").preview[0]
    assert (lead["client_slug"], lead["first_name"], lead["email"], lead["phone"]) == ("acme", MASK, MASK, None)
    filled = next(r for r in seen if r.name == "final_leads").filled
    assert filled is not None
    assert (filled.rows, filled.by_column["first_name"], filled.by_column["phone"]) == (10, 10, 0)


def test_models_over_all_batches_are_counted_and_shown_at_once(build: Build, settings: Settings) -> None:
    build(leads(10), batch_key="b")
    plain = {r.name: r.rows for r in build_analytics(settings)}
    seen = {r.name: r for r in build_analytics(settings, previews=True)}
    assert {name: r.rows for name, r in seen.items()} == plain
    assert seen["cost_per_lead"].preview[0]["leads"] == "10"
    assert seen["waterfall_contribution"].rows == 2


def test_a_batch_without_items_has_empty_previews(settings: Settings, build: Build) -> None:
    build([], batch_key="b")
    publish_batch_sources(hq_of(settings), settings, "b")
    reports = build_models(settings, "b", previews=True)
    assert {(r.rows, len(r.preview)) for r in reports} == {(0, 0)}
