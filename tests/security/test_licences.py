"""Every package that is pinned has a licence that an agency can live with; the exceptions have a reason.

The lock files list what packages need in turn. Those of `make audit` and `make sbom` are read where these tools are.
"""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distributions, metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PERMISSIVE = re.compile(
    r"\b(MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Unlicense|0BSD|Zlib|CC0|MPL|Mozilla Public License|HPND"
    r"|Redistribution and use in source and binary forms)\b",
    re.IGNORECASE,
)
"""Permissive, or copyleft of single files that we do not change (MPL)."""

REASONS = {
    "psycopg": "LGPL: used as a library, unchanged",
    "psycopg-binary": "LGPL: used as a library, unchanged",
    "psycopg-pool": "LGPL: used as a library, unchanged",
    "psycopg2-binary": "LGPL: used by dagster-postgres, unchanged",
    "pycountry": "LGPL: used as a library, unchanged",
    "nameparser": "LGPL: used as a library, unchanged",
}


def _packages(*files: str) -> list[str]:
    text = "\n".join((ROOT / file).read_text() for file in files)
    return sorted(set(re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", text, re.MULTILINE)))


PINNED = _packages("requirements.txt", "requirements-runtime.txt", "requirements-build.txt", "requirements-audit.txt")
TOOLS = ROOT / ".venv-audit"


def _licence(package: str) -> str | None:
    """What the package says of its licence, None where it is not installed on this system."""
    try:
        said = metadata(package)
    except PackageNotFoundError:
        folders = [str(folder) for folder in TOOLS.glob("lib/*/site-packages")]
        among_tools = next(iter(distributions(name=package, path=folders)), None)
        if among_tools is None:
            return None
        said = among_tools.metadata
    classifiers = [line for line in said.get_all("Classifier") or [] if line.startswith("License ::")]
    return " / ".join(filter(None, [said.get("License-Expression"), (said.get("License") or "")[:2000], *classifiers]))


def test_the_packages_of_run_time_are_known() -> None:
    assert len(_packages("requirements-runtime.txt")) > 50


@pytest.mark.parametrize("package", PINNED)
def test_its_licence_is_permissive_or_has_a_reason(package: str) -> None:
    licence = _licence(package)
    if licence is None:  # of another platform
        return
    assert PERMISSIVE.search(licence) or package in REASONS, f"{package}: {licence}"


def test_no_reason_is_left_of_a_package_that_has_gone() -> None:
    assert set(REASONS) <= set(PINNED)
