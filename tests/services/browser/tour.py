"""A look at each of some pages in Debian's Chromium, wide and on a phone: `python tour.py CONFIG.json`.

Prints one JSON object: how many pages were looked at, and what ran, was asked for elsewhere, or did not fit.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright  # type: ignore[import-not-found]

SIZES = ({"width": 1280, "height": 900}, {"width": 390, "height": 844})
WIDEST = (
    "[...document.querySelectorAll('body *')].map(e => [e.getBoundingClientRect().right, e.outerHTML.slice(0, 160)])"
)


def main(config: dict[str, Any]) -> dict[str, Any]:
    """Visit them all."""
    faults: list[str] = []
    looked = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=config["chromium"], args=["--no-sandbox"])
        context = browser.new_context(viewport=SIZES[0])
        name, _, value = config["cookie"].partition("=")
        context.add_cookies([{"name": name, "value": value, "url": config["console"]}])
        page = context.new_page()
        at = ""

        def note(what: str) -> None:
            faults.append(f"{at}: {what[:300]}")

        def dialog(shown: Any) -> None:
            note(f"a dialog: {shown.message}")
            shown.dismiss()

        page.on("dialog", dialog)
        page.on("console", lambda message: message.type == "error" and note(f"console: {message.text}"))
        page.on("pageerror", lambda error: note(f"script: {error}"))
        page.on("request", lambda asked: asked.url.startswith(config["console"]) or note(f"asked for {asked.url}"))
        page.on("framenavigated", lambda frame: frame is not page.main_frame and note(f"a frame: {frame.url}"))
        for at in config["pages"]:
            page.set_viewport_size(SIZES[0])
            answer = page.goto(config["console"] + at)
            if answer.status != 200:
                note(f"status {answer.status}")
            looked += 1
            for size in SIZES:
                page.set_viewport_size(size)
                width = page.evaluate("document.documentElement.scrollWidth")
                if width > size["width"]:
                    widest = [one for one in page.evaluate(WIDEST) if one[0] > size["width"] + 1]
                    note(f"{width} pixels wide on {size['width']}: {widest[:1]}")
        browser.close()
    return {"looked": looked, "faults": faults}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()))))
