"""What `make sbom` finds wrong with a bill of materials, before it writes one."""

from __future__ import annotations

import pytest

from tests.security.bill import LOCK, ROOT, faults

PINS = "alpha-beta==1.0 \\\n    --hash=sha256:00\ngamma[extra]==2.1 ; sys_platform == 'linux'\n"
WHOLE = {"components": [{"name": "Alpha_Beta", "version": "1.0"}, {"name": "gamma", "version": "2.1"}]}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, []),
        ({"components": WHOLE["components"][:1]}, ["not in the bill: gamma 2.1"]),
        (
            {"components": [*WHOLE["components"], {"name": "delta", "version": "3"}]},
            ["not in the lock: delta 3"],
        ),
        ({"note": "https://pypi.org/simple/gamma/"}, []),
        ({"note": "see https://mirror.example/simple/gamma"}, ["names https://mirror.example/simple/gamma"]),
        ({"note": "file:///srv/wheels/gamma.whl"}, ["names file:///srv/wheels/gamma.whl"]),
        ({"note": f"{ROOT}/requirements.txt"}, [f"names {ROOT}"]),
    ],
)
def test_a_bill_names_what_is_pinned_and_no_place_of_ours(changes: dict[str, object], wrong: list[str]) -> None:
    assert faults({**WHOLE, **changes}, PINS) == wrong


def test_the_lock_of_what_runs_is_read() -> None:
    assert len([one for one in faults({}, LOCK.read_text()) if one.startswith("not in the bill")]) > 50
