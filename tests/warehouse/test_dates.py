"""Dates in the SQL models: read by the words that Python has, and never otherwise than Python reads them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrichment_assets.domain.coercion import UNFIT, coerce
from enrichment_assets.domain.date_words import date_words
from enrichment_assets.domain.dates import DateReading, read_date, read_day
from enrichment_assets.warehouse.date_files import date_files
from enrichment_assets.warehouse.files import quoted
from enrichment_assets.warehouse.project import PROJECT_DIR, load_project
from tests.quality.cases import DATA, read_cases

TEXTS = [str(case.given["text"]) for case in read_cases(DATA / "dates")]
_PIECES = (
    "2015 1999 9999 0 3 03 09 13 31 00 march März sept. lip spring Q1 q w10 W kw t h1 half de of the '15 "
    "Present to date 10:00 T10:00:00Z am [ ] ( ) · st th 1st mon Montag 年 月 1425859200 20150309 é İ ı ' "
    "d' on . / - , –"
)
PIECES = st.sampled_from(_PIECES.split())
MADE = st.lists(st.tuples(st.sampled_from(["", " ", "-", "\u00a0"]), PIECES), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for name in ("date_words", "date_shapes"):
            seed = quoted(str(PROJECT_DIR / "seeds" / f"{name}.csv"))
            connection.execute(f"create table {name} as select * from read_csv({seed}, header = true, nullstr = '')")
        yield connection


def read_by_sql(connection: duckdb.DuckDBPyConnection, texts: list[str]) -> dict[str, DateReading]:
    connection.execute("create or replace temp table texts as select distinct unnest(?::varchar[]) as text", [texts])
    rows = connection.execute(load_project().model("final_leads").renderer.render("{{ date_readings('texts') }}"))
    return {text: DateReading(*reading) for text, *reading in rows.fetchall()}


def read_by_python(texts: list[str]) -> dict[str, DateReading]:
    return {text: reading for text in texts if (reading := read_date(text)) is not None}


def test_sql_and_python_read_every_known_text_alike(connection: duckdb.DuckDBPyConnection) -> None:
    assert len(TEXTS) > 600
    assert read_by_sql(connection, TEXTS) == read_by_python(TEXTS)


@settings(max_examples=40, deadline=None)
@given(made=st.lists(MADE, max_size=100), texts=st.lists(st.text(st.characters(exclude_characters="\0")), max_size=20))
def test_sql_and_python_read_any_text_alike(
    connection: duckdb.DuckDBPyConnection, made: list[list[tuple[str, str]]], texts: list[str]
) -> None:
    given_texts = [text.encode(errors="replace").decode() for text in texts]
    given_texts += ["".join(gap + piece for gap, piece in pieces) for pieces in made]
    assert read_by_sql(connection, given_texts) == read_by_python(given_texts)


def test_the_seeds_and_the_macro_are_what_python_would_write_now() -> None:
    assert {path: (PROJECT_DIR / path).read_text(encoding="utf-8") for path in date_files()} == date_files()


def test_every_word_is_plain_to_sql_too(connection: duckdb.DuckDBPyConnection) -> None:
    plain = load_project().model("final_leads").renderer.render("{{ plain_date_text('word') }}")
    assert connection.execute(f"select word from date_words where {plain} <> word").fetchall() == []


def test_no_word_has_two_meanings() -> None:
    words = [(word.word, word.kind) for word in date_words()]
    assert len(words) == len(set(words))
    months = {word.word for word in date_words() if word.kind == "month"}
    assert months.isdisjoint(word.word for word in date_words() if word.kind == "season")
    assert "lip" not in months  # July in Polish, June in Croatian


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("9 Mar 2015", date(2015, 3, 9)),
        ("2015-03-09T23:30:00-08:00", date(2015, 3, 9)),
        (1425859200, date(2015, 3, 9)),
        ("20150309", date(2015, 3, 9)),
        ("March 2015", UNFIT),
        ("03/04/2015", UNFIT),
        ("2015-03-0912", UNFIT),
        ("Present", UNFIT),
        (True, UNFIT),
        (None, None),
    ],
)
def test_a_date_column_of_a_destination_takes_days_only(given: object, expected: object) -> None:
    assert coerce(given, "date") == expected


def test_a_day_is_one_day() -> None:
    assert read_day("5/5/2015") == date(2015, 5, 5)
    assert read_day("5/6/2015") is None
