"""What somebody does in the console who never opens a terminal, in Debian's Chromium.

`python story.py CONFIG.json`, with Playwright's own Python: prints one JSON object with what was seen. It knows nothing
of the platform but its pages.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-not-found]
from playwright.sync_api import Page, expect, sync_playwright  # type: ignore[import-not-found]

PASSWORD = "an owl flies at night"
PATIENCE = 120_000
PHONE = {"width": 390, "height": 844}


class Visit:
    """A browser, and what was noted on the way."""

    def __init__(self, page: Page, config: dict[str, Any]) -> None:
        self.page, self.config = page, config
        self.faults: list[str] = []
        self.seen: dict[str, Any] = {}
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("response", lambda answer: self._answered(answer.status, answer.url))
        page.on("dialog", lambda dialog: dialog.accept())
        page.set_default_timeout(PATIENCE)

    def _note(self, kind: str, text: str) -> None:
        if kind == "error" and "Failed to load resource" not in text:  # which says `_answered`
            self.faults.append(f"console: {text}")

    def _answered(self, status: int, url: str) -> None:
        if status >= 400 and status not in (401, 404):
            self.faults.append(f"{status} of {url}")

    def go(self, path: str) -> None:
        """Open a page of the console."""
        self.page.goto(self.config["console"] + path)

    def look(self, name: str) -> None:
        """Judge the page by axe, on a phone too, and keep what it looks like."""
        found = Axe().run(self.page).response["violations"]
        self.faults += [f"axe, {name}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]
        self.page.screenshot(path=str(Path(self.config["shots"]) / f"console-{name}.png"))
        wide = self.page.viewport_size
        self.page.set_viewport_size(PHONE)
        if (width := self.page.evaluate("document.documentElement.scrollWidth")) > PHONE["width"]:
            self.faults.append(f"phone, {name}: {width} pixels wide")
        self.page.set_viewport_size(wide)
        self.page.emulate_media(color_scheme="dark")
        dark = Axe().run(self.page).response["violations"]
        self.faults += [f"axe in the dark, {name}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in dark]
        self.page.emulate_media(color_scheme="light")


def come_in(visit: Visit) -> None:
    """The first owner's link, a password, the login."""
    page = visit.page
    page.goto(visit.config["dagster"])
    visit.seen["dagster before"] = page.title()
    page.goto(visit.config["invitation"])
    visit.look("password")
    page.get_by_label("Password, of 12").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    visit.look("login")
    page.get_by_label("Login", exact=True).fill("owner")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Home")).to_be_visible()


def upload(visit: Visit) -> None:
    """A list comes in, and what was understood of it is looked at."""
    page = visit.page
    page.get_by_role("link", name="Clients").click()
    expect(page.get_by_role("heading", name="Clients")).to_be_visible()
    visit.look("clients")
    page.get_by_role("link", name=visit.config["client"], exact=True).click()
    expect(page.get_by_role("heading", name="Uploads")).to_be_visible()
    visit.look("client")
    page.get_by_role("link", name="Upload a list").click()
    expect(page.get_by_role("heading", name="Upload a list")).to_be_visible()
    visit.look("upload")
    page.set_input_files("input[type=file]", visit.config["list"])
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="What was understood")).to_be_visible()
    visit.look("understood")


def launch(visit: Visit) -> str:
    """A pilot is planned, started, and watched until it has finished; the batch's address."""
    page = visit.page
    page.get_by_label("Pipeline").select_option(visit.config["pipeline"])
    page.get_by_role("button", name="Show what it calls").click()
    expect(page.get_by_role("heading", name="Calls and cost at most")).to_be_visible()
    visit.look("launch")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("status")).to_have_text("Launched.")
    page.evaluate("window.neverLoadedAgain = true")
    expect(page.get_by_role("heading", name="Finished")).to_be_visible(timeout=PATIENCE)
    visit.seen["live"] = page.evaluate("window.neverLoadedAgain === true")
    visit.look("batch")
    return page.url.split("?")[0]


def leads(visit: Visit, batch: str) -> None:
    """The grid is filtered, a lead opened, a value corrected."""
    page = visit.page
    page.get_by_role("link", name="Leads", exact=True).click()
    expect(page.get_by_role("heading", name="Leads of")).to_be_visible()
    visit.look("leads")
    visit.seen["leads"] = page.locator("tbody tr").count()
    ask_steps(visit)
    page.get_by_label("Only where").select_option("email")
    page.get_by_label("is such that it").select_option("filled")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_label("Conditions")).to_be_visible()
    visit.seen["leads with an address"] = page.locator("tbody tr").count()
    page.locator("tbody a").first.click()
    expect(page.get_by_role("heading", name="Values, and where they come from")).to_be_visible()
    visit.look("lead")
    page.locator("summary", has_text="title").first.click()
    row = page.locator("details[open]")
    row.get_by_label("Correct it").fill("Head of Routes")
    row.get_by_label("Why").fill("she said so")
    row.get_by_role("button", name="Correct").click()
    expect(page.get_by_role("status")).to_contain_text("Corrected")
    visit.seen["corrected"] = page.locator("summary", has_text="Head of Routes").count()
    page.goto(batch)


def ask_steps(visit: Visit) -> None:
    """All rows are ticked and a step is chosen: it is only looked at what asking it anew would cost."""
    page = visit.page
    page.get_by_label("Tick all rows shown here").check()
    page.locator("summary", has_text="Ask steps about rows").click()
    page.locator("#ask fieldset input").first.check()
    page.get_by_role("button", name="See what asking the ticked rows does").click()
    expect(page.get_by_role("heading", name="Ask leads of")).to_be_visible()
    visit.seen["asked about"] = page.locator("caption").inner_text().split()[0]
    page.get_by_role("button", name="See what asking anew").click()
    expect(page.get_by_role("button", name="at most")).to_be_visible()
    visit.look("asking")
    page.get_by_role("link", name="Not now").click()


def review(visit: Visit, batch: str) -> None:
    """Drafts are decided about by keys alone."""
    page = visit.page
    page.goto(f"{batch}/review")
    visit.look("review")
    here = page.locator("[data-draft][aria-current]")
    first = here.get_attribute("href")
    page.keyboard.press("j")
    page.wait_for_url("**draft=**")
    visit.seen["j goes on"] = here.get_attribute("href") != first
    page.keyboard.press("k")
    expect(here).to_have_attribute("href", first)
    before = page.locator("[data-draft]").count()
    page.keyboard.press("a")
    expect(page.get_by_role("status")).to_contain_text("Approved")
    page.wait_for_load_state("load")
    page.keyboard.press("r")  # without a reason it only asks for one
    page.keyboard.type("names the wrong product")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Rejected")
    page.wait_for_load_state("load")
    page.keyboard.press("e")
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("A word about your routes")
    page.get_by_role("button", name="Save what was edited").click()
    expect(page.get_by_role("status")).to_contain_text("Corrected")
    visit.seen["edited"] = page.locator("textarea").first.input_value()
    visit.seen["decided"] = before - page.locator("[data-draft]").count()


def deliver(visit: Visit, batch: str) -> None:
    """Leads are delivered: first only what that would do, then done by the platform that runs."""
    page = visit.page
    page.goto(f"{batch}/deliveries")
    page.get_by_label("To", exact=True).select_option(visit.config["destination"])
    page.get_by_role("button", name="Show what that would do").click()
    expect(page.get_by_role("status")).to_contain_text("are made there")
    visit.look("deliveries")
    page.get_by_role("button", name="Deliver").click()
    expect(page.get_by_role("status")).to_contain_text("on its way")
    expect(page.locator("tr", has_text="arrived").first).to_be_visible(timeout=120_000)  # the page says so by itself
    visit.seen["delivered"] = True


def erase(visit: Visit) -> None:
    """Somebody is looked for, erased after whom was typed once more, and the certificate is there."""
    page = visit.page
    visit.go("/persons")
    visit.look("persons")
    page.get_by_label("An e-mail address of theirs").fill("ann@nowhere.example")
    page.get_by_role("button", name="Find them").click()
    expect(page.get_by_role("heading", name="Erase them")).to_be_visible()
    visit.look("person")
    page.get_by_label("Why, for those who ask later").fill("she asked us")
    page.get_by_label("To be sure, type once more whom").fill("ann@nowhere.example")
    page.get_by_role("button", name="Erase this person").click()
    expect(page.get_by_role("status")).to_contain_text("kept out from now on")
    visit.look("certificate")
    with page.expect_download() as download:
        page.get_by_role("link", name="Certificate as text").click()
    visit.seen["certificate"] = Path(download.value.path()).read_text().startswith("# Erasure")


def the_rest(visit: Visit) -> None:
    """Every other page is opened and judged; Dagster's lets in who is logged in."""
    for name, path in (
        ("home", "/"), ("batches", "/batches"), ("reviews", "/review"), ("workflows", "/workflows"),
        ("workflow", "/workflows/match-person-via-apollo"), ("editor", "/workflow-editor?starter=http"),
        ("leads-of-client", f"/clients/{visit.config['client']}/leads"),
        ("lead-new", f"/clients/{visit.config['client']}/lead"),
        ("suppressions", f"/clients/{visit.config['client']}/suppressions"),
        ("try", f"/clients/{visit.config['client']}/try/normalise-name"),
        ("connections", f"/clients/{visit.config['client']}/connections"),
        ("profile", f"/clients/{visit.config['client']}/profile"),
        ("gate", f"/clients/{visit.config['client']}/gate"),
        ("builder", f"/clients/{visit.config['client']}/builder?pipeline={visit.config['pipeline']}"),
        ("repeats", "/uploads/1/repeats"), ("drafts", "/review/drafts?state=rejected"),
        ("settings", f"/clients/{visit.config['client']}/settings?workflow=match-person-via-apollo"),
        ("operations", "/operations"), ("automations", "/automations"), ("alerts", "/alerts"),
        ("suppressions-of-all", "/suppressions"), ("dashboards", "/dashboards"),
        ("reports", "/reports?report=providers"), ("careers", "/careers"),
        ("moves", "/careers/moves"),
        ("changes", "/careers/changes?since=2000-01-01"), ("callbacks", "/callbacks"),
        ("access", "/access"), ("log", "/log"), ("nothing", "/nothing"),
    ):  # fmt: skip
        visit.go(path)
        visit.look(name)
    visit.faults = [fault for fault in visit.faults if "404" not in fault]
    faults = list(visit.faults)
    visit.page.goto(visit.config["dagster"] + "/runs")
    expect(visit.page.get_by_text("Runs").first).to_be_visible(timeout=PATIENCE)
    visit.seen["dagster after"] = visit.page.title()
    visit.faults = faults  # Dagster's own scripts complain in their own way


def main() -> None:
    """Go through it all."""
    config = json.loads(Path(sys.argv[1]).read_text())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=config["chromium"], args=["--no-sandbox"])
        visit = Visit(browser.new_page(viewport={"width": 1200, "height": 850}), config)
        try:
            come_in(visit)
            upload(visit)
            batch = launch(visit)
            leads(visit, batch)
            review(visit, batch)
            deliver(visit, batch)
            erase(visit)
            the_rest(visit)
        except Exception as error:
            visit.page.screenshot(path=str(Path(config["shots"]) / "broken.png"), full_page=True)
            visit.faults.append(f"{type(error).__name__} at {visit.page.url}: {error}"[:1500])
        finally:
            browser.close()
    print(json.dumps({"faults": visit.faults, "seen": visit.seen}))


if __name__ == "__main__":
    main()
