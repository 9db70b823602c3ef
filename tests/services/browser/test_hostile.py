"""Strings that somebody wrote to do harm, in Chromium: nothing of them runs or loads, and every page fits."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.console.hostile import Flooded, flooded
from tests.services.serving import served

__all__ = ["flooded"]

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]


def test_nothing_runs_nothing_loads_and_everything_fits(playwright: Path, flooded: Flooded, tmp_path: Path) -> None:
    with served(flooded.office) as address:
        config = {
            "console": address,
            "cookie": flooded.cookie,
            "pages": flooded.pages,
            "chromium": shutil.which("chromium"),
        }
        path = tmp_path / "tour.json"
        path.write_text(json.dumps(config))
        tour = Path(__file__).with_name("tour.py")
        done = subprocess.run([str(playwright), str(tour), str(path)], capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["faults"] == []
    assert told["looked"] == len(flooded.pages) > 60
