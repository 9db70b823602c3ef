"""Persons: where one stands, erasing them, and the certificates of that; of one client, or of all.

Whom somebody looks for is sent in a form and never stands in an address: addresses are kept by browsers and servers.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from enrichment_assets.installation.databases import open_databases
from enrichment_assets.services.people import access, erasing
from enrichment_assets.services.people.certificates import as_markdown
from enrichment_assets.services.people.identifying import Whom, whom_of
from enrichment_assets.services.people.inventory import Scope, scope_of
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.console.views import Download, Redirect, Shown, View

_NAMED_BY = ("email", "linkedin", "name", "company")
_MEDIA = {"md": "text/markdown", "json": "application/json"}


def show(call: Call) -> Shown:
    """Ask whom, and show who was erased: by hash."""
    call.checked("said")
    context = {"erasures": erasing.list_erasures(_scope(call)), **_place(call)}
    return View("persons.html", "Persons", context)


def find(call: Call) -> Shown:
    """Where a person stands, and so what erasing them would take; shows no value of theirs."""
    given, whom = _given(call), None
    call.checked(*_NAMED_BY)
    whom = _whom(given)
    context = {"found": access.find(_scope(call), whom), "given": given, "typed": _typed(given), **_place(call)}
    return View("person.html", "A person", context)


def erase(call: Call) -> Shown:
    """Erase them everywhere, and keep them out: after whom it is was typed once more."""
    given, reason, typed = _given(call), call.text("reason", needed=True) or "", call.text("typed") or ""
    call.checked(*_NAMED_BY, "reason", "typed")
    if typed.strip().casefold() != _typed(given).casefold():
        raise invalid(typed="is not whom you looked for: type it once more, as you typed it there")
    done = erasing.erase(_scope(call), _whom(given), reason, actor=call.known.actor)
    return Redirect(f"{_place(call)['place']}/certificates/{done['subject']}", "erased")


def certificate(call: Call) -> Shown:
    """What was done where and when; as a file with `as`."""
    kind = call.query.get("as")
    call.checked("as", "said")
    if kind not in (None, *_MEDIA):
        raise invalid(**{"as": f"is one of: {', '.join(_MEDIA)}"})
    subject = call.path["subject"]
    found = erasing.certificate_of(_scope(call), subject)
    if kind is None:
        return View("certificate.html", f"Erasure {subject}", {"one": found, **_place(call)})
    with tempfile.NamedTemporaryFile("w", prefix="certificate-", encoding="utf-8", delete=False) as file:
        file.write(as_markdown(found) if kind == "md" else json.dumps(found, indent=2))
    return Download(Path(file.name), f"erasure-{found['subject']}.{kind}", _MEDIA[kind])


def _scope(call: Call) -> Scope:
    return scope_of(call.hq, call.settings, open_databases(call.settings).dagster, call.path.get("client"))


def _place(call: Call) -> dict[str, str | None]:
    """Of which client it is, and the address of its page."""
    client = call.path.get("client")
    return {"client": client, "place": "/persons" if client is None else f"/clients/{client}/persons"}


def _given(call: Call) -> dict[str, str | None]:
    return {name: (call.text(name) or "").strip() or None for name in _NAMED_BY}


def _whom(given: dict[str, str | None]) -> Whom:
    return whom_of(given["email"], given["linkedin"], given["name"], given["company"])


def _typed(given: dict[str, str | None]) -> str:
    """What has to be typed once more."""
    return given["email"] or given["linkedin"] or given["name"] or ""
