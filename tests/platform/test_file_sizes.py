"""A file of the package fits in one reading; lists that are data, in folders of that name, are read by nobody."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "enrichment_assets"
MOST = 350
"""Lines."""


def test_no_file_of_the_package_is_longer_than_one_reading() -> None:
    files = [path for path in PACKAGE.rglob("*.py") if "data" not in path.relative_to(PACKAGE).parts]
    assert len(files) > 400
    long = {path.relative_to(PACKAGE).as_posix(): len(path.read_text().splitlines()) for path in files}
    assert {name: lines for name, lines in long.items() if lines > MOST} == {}, "split it by what it means"
