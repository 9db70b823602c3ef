"""Names: what is cleaned, what is split, and what is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
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


@settings(max_examples=600, deadline=None)
@given(_NAMES, _NAMES, _NAMES)
def test_it_never_raises_and_a_second_pass_changes_nothing(first: str, last: str, full: str) -> None:
    once = normalise_name(first, last, full)
    twice = normalise_name(once.first_name, once.last_name, once.full_name)
    assert (twice.first_name, twice.last_name, twice.full_name) == (once.first_name, once.last_name, once.full_name)
