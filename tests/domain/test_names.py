"""Names: what is cleaned, what is split, and what is left alone."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from enrichment_assets.domain.names import NormalisedName, normalise_name


@pytest.mark.parametrize(
    ("full", "first", "last"),
    [
        ("LUDWIG VAN BEETHOVEN", "Ludwig", "van Beethoven"),
        ("john o'neil", "John", "O'Neil"),
        ("JOHN McDONALD", "John", "McDonald"),
        ("Smith, John", "John", "Smith"),
        ("DOE, JANE", "Jane", "Doe"),
        ("Jane Doe, PhD, MBA", "Jane", "Doe"),
        ("Jane Doe, SHRM-CP (she/her)", "Jane", "Doe"),
        ("🚀 Jane Doe ✨", "Jane", "Doe"),
        ("Mohammed bin Salman", "Mohammed", "bin Salman"),
        ("María José García-López", "María", "García-López"),
        ("Jack Ma", "Jack", "Ma"),
        ("Dean Martin", "Dean", "Martin"),
        ("J.R.R. Tolkien", "J.R.R.", "Tolkien"),
        ('Robert "Bob" Jones', "Robert", "Jones"),
        ("Madonna", "Madonna", None),
        ("张伟", None, None),
        ("田中 太郎", None, None),
    ],
)
def test_a_full_name_is_split(full: str, first: str | None, last: str | None) -> None:
    name = normalise_name(full=full)
    assert (name.first_name, name.last_name) == (first, last)


def test_a_name_that_cannot_be_split_stays_whole() -> None:
    assert normalise_name(full="张伟") == NormalisedName(full_name="张伟")


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("Debbie", "Wasserman Schultz", ("Debbie", "Wasserman Schultz", "Debbie Wasserman Schultz")),
        ("Pablo José", "Hernández Rivera", ("Pablo José", "Hernández Rivera", "Pablo José Hernández Rivera")),
        ("James (Jim)", "MOYLAN", ("James", "Moylan", "James Moylan")),
        ("Mary Ann", "Doe", ("Mary Ann", "Doe", "Mary Ann Doe")),
        ("JP", "MCDONALD", ("JP", "McDonald", "JP McDonald")),
        ("DİLEK", "İNCE", ("Dilek", "İnce", "Dilek İnce")),
        ("An", "LE", ("An", "Le", "An Le")),
        ("Jane Doe", "", ("Jane", "Doe", "Jane Doe")),
        ("Ana", "S.", ("Ana", "S.", "Ana S.")),
        ("-", "N/A", (None, None, None)),
        (None, "  ", (None, None, None)),
    ],
)
def test_columns_are_believed(first: str | None, last: str, expected: tuple[str | None, ...]) -> None:
    name = normalise_name(first, last)
    assert (name.first_name, name.last_name, name.full_name) == expected


def test_prefix_suffix_and_middle_get_fields_of_their_own() -> None:
    assert normalise_name("Dr. John Q.", "Bishop Jr., MD") == NormalisedName(
        "John", "Bishop", "John Q. Bishop", prefix="Dr.", suffix="Jr.", middle="Q."
    )


def test_mixed_case_is_somebodys_choice() -> None:
    assert normalise_name("danah", "Boyd").first_name == "Danah"
    assert normalise_name("DeShawn", "LaRue-McKay").full_name == "DeShawn LaRue-McKay"


_WORDS = st.sampled_from(
    [
        "Dr.",
        "VAN",
        "de",
        "Jr.",
        "PhD,",
        "MBA",
        "(Jim)",
        "O'NEIL",
        "McDonald",
        "ii",
        "v",
        "Ma",
        "J.",
        "🚀",
        "ß",
        "İ",
        ",",
    ]
)
_NAMES = st.one_of(st.none(), st.text(max_size=30), st.lists(_WORDS, max_size=7).map(" ".join))


@settings(max_examples=300, deadline=None)
@given(_NAMES, _NAMES, _NAMES)
@example(first="", last="â‹ aÑ-", full="")
@example(first="", last="Û¹‹0à", full="Û¹‹0à")
def test_it_never_raises_and_a_second_pass_changes_nothing(first: str, last: str, full: str) -> None:
    once = normalise_name(first, last, full)
    twice = normalise_name(once.first_name, once.last_name, once.full_name)
    assert (twice.first_name, twice.last_name, twice.full_name) == (once.first_name, once.last_name, once.full_name)


@settings(max_examples=300, deadline=None)
@given(_NAMES, _NAMES, _NAMES)
def test_the_full_name_holds_the_first_and_the_last(first: str, last: str, full: str) -> None:
    name = normalise_name(first, last, full)
    whole = name.full_name or ""
    assert (name.first_name or "") in whole and (name.last_name or "") in whole
    if name.first_name and name.last_name and not name.middle:
        assert whole in (f"{name.first_name} {name.last_name}", f"{name.last_name}{name.first_name}")


@pytest.mark.parametrize(
    "text",
    ["a " * 2000, "(" * 4000, "<" * 4000, "'" * 4000, "- " * 2000, "a.b@" * 1000, "www." * 1000, "&amp;" * 800,
     "Jane, " * 700, "Dr. " * 1000, "Jane Doe " * 450, "\u200b" * 4000, "née " * 1000, "Jr. " * 1000, "|" * 4000],
)  # fmt: skip
def test_a_cell_of_four_thousand_characters_is_read_up_to_a_bound(text: str) -> None:
    name = normalise_name(full=text)
    assert len(name.full_name or "") <= 500
    assert normalise_name(text, text, text) == normalise_name(text[:500], text[:500], text[:500])


def test_a_name_with_an_unknown_boundary_keeps_its_words() -> None:
    assert normalise_name(full="Mario Vargas Llosa") == NormalisedName("Mario", None, "Mario Vargas Llosa")
    assert normalise_name(full="Xi Jinping") == NormalisedName(full_name="Xi Jinping")
    assert normalise_name(full="John and Jane Smith") == NormalisedName(None, "Smith", "John and Jane Smith")


@pytest.mark.parametrize(
    ("first", "last", "full", "expected"),
    [
        ("Jinping", None, "Xi Jinping", ("Jinping", "Xi", "Jinping Xi")),
        ("Mario", "Vargas Llosa", "Mario Vargas Llosa", ("Mario", "Vargas Llosa", "Mario Vargas Llosa")),
        ("John", "Smith", "Jane Doe", ("John", "Smith", "John Smith")),
        ("Jane", "Doe", "Dr. Jane M. Doe, PhD", ("Jane", "Doe", "Jane M. Doe")),
        ("Jane", None, "Doe, Jane", ("Jane", "Doe", "Jane Doe")),
    ],
)
def test_what_a_column_states_wins_over_the_full_name(
    first: str, last: str | None, full: str, expected: tuple[str, ...]
) -> None:
    name = normalise_name(first, last, full)
    assert (name.first_name, name.last_name, name.full_name) == expected


def test_the_officials_names_come_out_of_both_orders_as_they_are() -> None:
    with (Path(__file__).parents[1] / "data" / "officials" / "people.csv").open(encoding="utf-8", newline="") as file:
        people = [(row["First Name"], row["Last Name"]) for row in csv.DictReader(file)]
    columns = [normalise_name(first, last) for first, last in people]
    commas = [normalise_name(full=f"{last}, {first}") for first, last in people]
    pieces = [normalise_name(full=f"{first} {last}") for first, last in people]
    assert (_others(columns, people), _others(commas, people)) == ([], [])
    two_family_names = {"Wasserman Schultz", "Watson Coleman", "Cortez Masto", "Blunt Rochester", "Leger Fernandez"}
    two_family_names |= {"Gluesenkamp Perez", "McClain Delaney", "McDonald Rivet"}
    assert {last for _, last in _others(pieces, people)} == two_family_names  # nobody can tell them from middle names


def _others(names: list[NormalisedName], people: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """People whose last name, with the suffix that officials have in the same column, did not come out."""
    read = [" ".join(filter(None, (name.last_name, name.suffix))) for name in names]
    return [person for last, person in zip(read, people, strict=True) if last != person[1]]
