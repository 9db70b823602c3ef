"""A page that follows a batch in Debian's Chromium while pages are asked for: `python reconnecting.py CONFIG.json`.

Prints a line when the page follows and nothing else is connected, waits for a line, puts the server under load, prints
a second line, and after the wanted seconds one JSON object with what the browser saw.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright  # type: ignore[import-not-found]

FOLLOWING = """
window.seen = {opened: 0, lost: 0, parts: 0, closed: false};
const Original = window.EventSource;
window.EventSource = class extends Original {
  constructor(url) {
    super(url);
    this.addEventListener("open", () => window.seen.opened += 1);
    this.addEventListener("error", () => { window.seen.lost += 1; window.seen.closed = this.readyState === 2; });
    this.addEventListener("part", () => window.seen.parts += 1);
  }
};
"""
LOAD = """
(async (path) => {
  window.asked = {answered: 0, wrong: [], going: true};
  const one = async () => {
    while (window.asked.going) {
      try {
        const answer = await fetch(path);
        await answer.text();
        if (answer.status === 200) window.asked.answered += 1; else window.asked.wrong.push(answer.status);
      } catch (error) { window.asked.wrong.push(String(error)); }
      await new Promise((resolve) => setTimeout(resolve, 200));  // within one caller's pace on any machine
    }
  };
  for (let n = 0; n < 3; n += 1) one();
})
"""
KEEP_ALIVE = 8.0
"""Seconds after which the server has closed every connection but the one that follows."""


def until(page: Any, holds: str) -> None:
    """Wait: asked again and again, for the page's policy lets nothing be evaluated in it."""
    for _ in range(300):
        if page.evaluate(holds):
            return
        time.sleep(0.2)
    raise TimeoutError(holds)


def main(config: dict[str, Any]) -> dict[str, Any]:
    """Follow, and ask."""
    faults: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=config["chromium"], args=["--no-sandbox"])
        page = browser.new_page()
        page.add_init_script(FOLLOWING)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(config["console"] + config["path"])
        until(page, "window.seen.parts >= 1")
        time.sleep(KEEP_ALIVE)
        print("following", flush=True)
        sys.stdin.readline()
        page.evaluate(f"{LOAD}({json.dumps(config['path'])})")
        until(page, "window.asked.answered >= 10")
        print("asking", flush=True)
        time.sleep(config["seconds"])
        page.evaluate("window.asked.going = false")
        seen, asked = page.evaluate("window.seen"), page.evaluate("window.asked")
        title = page.title()
        browser.close()
    return {"seen": seen, "asked": asked, "title": title, "faults": faults}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()))), flush=True)
