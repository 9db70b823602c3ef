"""What spreadsheets do to text is kept from it, and undone where it happened to a list of ours.

What is changed was seen in LibreOffice 7.4 and Excel 365 on opening and saving a CSV.
"""

from __future__ import annotations

import pytest

from enrichment_assets.domain.spreadsheets import is_own_export, kept_as_text, restored

CHANGED = [
    "+12025550123", "=1+1", "-5", "@sum", "\tx", "\rx", "\nx", "＝1+1", "＋1", "－1", "＠x", " =1+1",
    "007", "1234567890123456789", "123456789012", "11-50", "1/2", "2015-03-01", "2015-03-01 10:30:00", "5e10", "1.10",
    "10:30", "March 2015", "Sept 2016", "Mar-15", "TRUE", "54e1234567890", "1.5",
]  # fmt: skip
KEPT = ["Acme", "42", "0", "a=b", "x-y", "555-0100 ext 3", "5e66b6381e05b4008c8331b8", "May Roe", "", "O'Neil"]


@pytest.mark.parametrize("text", CHANGED)
def test_what_a_spreadsheet_would_run_or_change_gets_an_apostrophe(text: str) -> None:
    assert kept_as_text(text) == f"'{text}"
    assert restored(f"'{text}", phone=False) == text


@pytest.mark.parametrize("text", KEPT)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert kept_as_text(text) == text
    assert restored(text, phone=False) == text


def test_a_phone_of_our_own_export_gets_its_plus_again() -> None:
    for cell in ("12025550123", "+12025550123", "'+12025550123"):
        assert restored(cell, phone=True) == "+12025550123"
    assert [restored(cell, phone=True) for cell in ("1.20256E+10", "0123", "", "'x")] == [
        "1.20256E+10",
        "0123",
        "",
        "'x",
    ]


def test_our_own_export_is_known_by_its_columns() -> None:
    assert is_own_export(["client_slug", "batch_key", "item_id", "phone"])
    assert not is_own_export(["batch_key", "phone"])
