"""A number that no row can have is said to be none before Postgres is asked."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from enrichment_assets.cli import build_app


@pytest.mark.parametrize(
    "words",
    [("lead", "show"), ("proposals", "accept"), ("proposals", "reject"), ("resolve", "acme-1", "--retry", "--item")],
    ids=" ".join,
)
def test_a_number_that_no_row_can_have_is_refused(words: tuple[str, ...]) -> None:
    app = build_app()
    for number in ("0", str(2**63), "9" * 20):
        result = CliRunner().invoke(app, [*words, number])
        assert result.exit_code == 2, result.output
        assert "Invalid value" in result.output
