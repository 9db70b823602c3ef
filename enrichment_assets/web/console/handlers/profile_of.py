"""What a client offers, to whom and in which words: a form of the profile that drafts are written by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from enrichment_assets.domain.client_profiles import LISTS, ClientProfile, Sender
from enrichment_assets.domain.errors import ConfigurationError, EnrichError
from enrichment_assets.domain.versions import ChangedMeanwhileError, Seen
from enrichment_assets.services.catalog.configuration import get_client
from enrichment_assets.services.catalog.profiles import profile_history, set_profile
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.console.handlers.entering import own_path
from enrichment_assets.web.console.views import Redirect, Shown, View

_SENDER = "sender"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form.

    Attributes:
        path: Its name in the profile, as `offer` or `sender.name`.
        about: What belongs there; empty: its name says it.
        text: What stands in the field; of a list one entry a line.
        is_list: It has one entry a line.
        saved: Where somebody else was faster, and the form holds something else: what they saved; None: the same.
    """

    path: str
    about: str
    text: str
    is_list: bool = False
    saved: str | None = None


def show(call: Call) -> Shown:
    """The profile in force, to be changed."""
    call.checked("to", "said")
    return _form(call, {}, _back(call.query.get("to")))


def change(call: Call) -> Shown:
    """Save what is another text than before as a new version, and go back to where somebody came from."""
    seen, to = call.text("seen", needed=True) or "", _back(call.text("to"))
    said = {name: str(text).replace("\r\n", "\n") for name, text in call.body.items() if name not in ("seen", "to")}
    client, fields = call.path["client"], {one.path: one for one in fields_of(None)}
    call.checked("seen", "to", *fields)
    history = profile_history(call.hq, client)
    before = {one.path: one.text for one in fields_of(history[0].profile if history else None)}
    changed = {path: text for path, text in said.items() if text.strip() != before[path].strip()}
    values = {path: _lines(text) if fields[path].is_list else text.strip() or None for path, text in changed.items()}
    try:
        set_profile(call.hq, client, actor=call.known.actor, values=values, seen=Seen.version(seen))
    except ChangedMeanwhileError as error:
        return _form(call, said, to, error, HTTPStatus.PRECONDITION_FAILED)
    except ConfigurationError as error:
        return _form(call, said, to, error, HTTPStatus.UNPROCESSABLE_ENTITY)
    return Redirect(to or f"/clients/{client}", "profile-saved")


def fields_of(profile: ClientProfile | None) -> list[Field]:
    """The fields of the form, in the order of `ClientProfile`; the members of the sender each have one."""
    values, found = (profile or ClientProfile()).values(), []
    for name, one in ClientProfile.model_fields.items():
        if name == _SENDER:
            sender = values[name] or {}
            found += [Field(f"{_SENDER}.{member}", "", sender.get(member) or "") for member in Sender.model_fields]
        elif name in LISTS:
            lines = [" ".join(entry.split()) for entry in values[name]]
            found.append(Field(name, one.description or "", "\n".join(lines), is_list=True))
        else:
            found.append(Field(name, one.description or "", values[name] or ""))
    return found


def _back(to: str | None) -> str:
    return own_path(to) if to else ""


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _form(
    call: Call, said: Mapping[str, str], to: str, error: EnrichError | None = None, status: HTTPStatus = HTTPStatus.OK
) -> View:
    """The form as it was filled in, else as the profile is."""
    client = get_client(call.hq, call.path["client"])
    history = profile_history(call.hq, client.slug)
    fields = []
    for one in fields_of(history[0].profile if history else None):
        typed = said.get(one.path, one.text)
        fields.append(one if typed.strip() == one.text.strip() else replace(one, text=typed, saved=one.text))
    context: dict[str, Any] = {
        "client": client,
        "stored": history[0] if history else None,
        "seen": history[0].content_hash if history else "",
        "fields": fields,
        "to": to,
        "error": error,
        "is_late": isinstance(error, ChangedMeanwhileError),
    }
    return View("profile.html", f"Profile of {client.slug}", context, status)
