"""The console's grid against Dagster's page of the same asset, in Debian's Chromium: until the last of a page is there.

    python -m bench.first_page --leads 1000 --rounds 5

`enrich up` serves a batch that was run. Each round opens both pages by turns, in a browser that has seen nothing and
then again in the same one. Prints JSON: the median of milliseconds from the navigation to the end of its last request,
requests and kilobytes that came over the wire. Playwright is installed for it into an environment of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.installation import installation, launch
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.settings import Settings

BATCH = "bench-page"
PORTS = {"port": 18_740, "receiver-port": 18_741, "sandbox-port": 18_742, "console-port": 18_743}
PAGES = {
    "console": (f"http://127.0.0.1:{PORTS['console-port']}/batches/{BATCH}/leads", "table tbody tr:nth-child(50)"),
    "dagster": (f"http://127.0.0.1:{PORTS['port']}/assets/final_leads", "text=final_leads"),
}
VISIT = """
import json, statistics, sys
from playwright.sync_api import sync_playwright
pages, rounds, chromium = json.loads(sys.argv[1])
LAST = '''() => { const all = performance.getEntriesByType("resource");
  const page = performance.getEntriesByType("navigation")[0];
  return [Math.max(page.loadEventEnd, ...all.map(one => one.responseEnd)), all.length + 1,
          (page.transferSize + all.reduce((sum, one) => sum + one.transferSize, 0)) / 1024]; }'''
found = {name: {"first": [], "again": []} for name in pages}
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    for _ in range(rounds):
        for name, (address, shown) in pages.items():
            context = browser.new_context()
            for turn in ("first", "again"):
                page = context.new_page()
                page.goto(address, wait_until="networkidle", timeout=120000)
                page.locator(shown).first.wait_for(timeout=60000)
                found[name][turn].append(page.evaluate(LAST))
                page.close()
            context.close()
    browser.close()
print(json.dumps({name: {turn: dict(zip(("ms", "requests", "kilobytes"),
    [round(statistics.median(column)) for column in zip(*rows)])) for turn, rows in turns.items()}
    for name, turns in found.items()}))
"""


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description="The first page of the console against Dagster's.")
    parser.add_argument("--leads", type=int, default=1_000, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    args = parser.parse_args()
    with installation() as settings, tempfile.TemporaryDirectory(prefix="enrich-bench-") as folder:
        launch(settings, BATCH, args.leads, [builtin_workflows()["normalise-name"]])
        _enrich(settings, "run", BATCH)
        python = Path(folder) / "venv" / "bin" / "python"
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(python.parents[1])], check=True)
        subprocess.run([*uv, "pip", "install", "--quiet", "--python", str(python), "playwright==1.65.2"], check=True)
        with _up(settings, Path(folder) / "up.txt"):
            given = json.dumps([PAGES, args.rounds, shutil.which("chromium")])
            done = subprocess.run([str(python), "-c", VISIT, given], check=True, capture_output=True, text=True)
    print(json.dumps(json.loads(done.stdout), indent=2))


def _environment(settings: Settings) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("ENRICH_", "DAGSTER_"))}
    return {**own, "ENRICH_HOME": str(settings.home)}


def _enrich(settings: Settings, *arguments: str) -> None:
    command = [sys.executable, "-m", "enrichment_assets", *arguments]
    subprocess.run(command, env=_environment(settings), check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _up(settings: Settings, output: Path) -> Iterator[None]:
    """All of it, where nobody has to log in."""
    arguments = [part for name, port in PORTS.items() for part in (f"--{name}", str(port))]
    command = [sys.executable, "-m", "enrichment_assets", "up", "--sandbox", "--no-login", *arguments]
    with output.open("w") as file:
        up = subprocess.Popen(command, env=_environment(settings), stdout=file, stderr=subprocess.STDOUT)
    try:
        while "Everything is up" not in output.read_text():
            if up.poll() is not None:
                raise SystemExit(output.read_text())
            time.sleep(1)
        yield
    finally:
        up.send_signal(signal.SIGINT)
        up.wait(60)


if __name__ == "__main__":
    main()
