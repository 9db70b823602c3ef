"""What a session of DuckDB is told, whatever process it runs in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from pathlib import Path
import duckdb
from enrichment_assets.warehouse.files import Layout
from enrichment_assets.warehouse.session import connect
for connection in (duckdb.connect(), connect(Layout(Path(sys.argv[1])))):
    print(connection.execute("select current_setting('enable_progress_bar')").fetchone())
"""


def test_a_build_draws_no_progress_bar_where_duckdb_would_on_its_own(tmp_path: Path) -> None:
    done = subprocess.run(  # a process without a main file, as spawned ones are
        [sys.executable, "-c", PROGRAM, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["(True,)", "(False,)"]
