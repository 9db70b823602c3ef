"""Who comes in, and who leaves."""

from __future__ import annotations

from http import HTTPStatus

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.services.access import logging_in, users
from enrichment_assets.services.access.errors import CodeNeededError
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import status_of
from enrichment_assets.web.console.views import Redirect, Shown, View


def log_in(call: Call) -> Shown:
    """Let somebody in, and bring them where they wanted to go."""
    login, password = call.text("login", needed=True) or "", call.text("password", needed=True) or ""
    code, to = call.text("code") or "", own_path(call.text("to") or "/")
    call.checked("login", "password", "code", "to")
    attempt = logging_in.Attempt(login, password, code, call.address, call.device)
    try:
        made = logging_in.log_in(call.hq, call.signing, attempt)
    except EnrichError as error:
        context = {"to": to, "error": error, "login": login, "needs_code": isinstance(error, CodeNeededError)}
        return View("login.html", "Log in", context, status_of(error))
    return Redirect(to, let_in=made)


def log_out(call: Call) -> Shown:
    """Let the browser forget the session."""
    call.checked()
    return Redirect("/", is_leaving=True)


def password(call: Call) -> Shown:
    """Ask for a first or another password, by a one-time token."""
    call.checked("token", "said")
    return View("password.html", "Set a password", {"token": call.query.get("token", ""), "error": None})


def set_password(call: Call) -> Shown:
    """Set it, and say whose it is: who comes by a link knows no login yet."""
    token, chosen = call.text("token", needed=True) or "", call.text("password", needed=True) or ""
    call.checked("token", "password")
    try:
        login = users.set_password(call.hq, token, chosen)
    except EnrichError as error:
        context = {"token": token, "error": error}
        return View("password.html", "Set a password", context, max(status_of(error), HTTPStatus.BAD_REQUEST))
    said = f"The password of {login} is set: log in with it."
    return View("login.html", "Log in", {"to": "/", "error": None, "login": login, "said": said})


def own_path(path: str) -> str:
    """A path of ours, as somebody gives it: nothing that a browser would take for another site."""
    fine = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and len(path) < 2_000
    return path if fine else "/"
