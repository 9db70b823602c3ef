"""Who has access: users, their roles, and keys."""

from __future__ import annotations

from enrichment_assets.domain.access import SCOPES, Role
from enrichment_assets.services.access import api_keys, users
from enrichment_assets.services.catalog.configuration import list_clients
from enrichment_assets.services.shapes.access import ApiKey, User
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.console.views import Redirect, Shown, View


def show(call: Call) -> Shown:
    """Users and keys."""
    call.checked("said")
    return _page(call)


def add_user(call: Call) -> Shown:
    """A new user; the link by which they set their password is shown once."""
    login, client = call.text("login", needed=True) or "", call.text("client") or None
    role = call.text("role", needed=True)
    call.checked("login", "role", "client")
    made = users.add_user(call.hq, login.strip(), _role(role), actor=call.known.actor, client=client)
    return _page(call, setup=made)


def change_user(call: Call) -> Shown:
    """Another role, none, a new one-time link, or no entry."""
    action, client = call.text("action", needed=True), call.text("client") or None
    role = call.text("role")
    call.checked("action", "client", "role")
    login, actor = call.path["login"], call.known.actor
    match action:
        case "role":
            users.change_role(call.hq, login, _role(role), actor=actor, client=client)
        case "take-role":
            users.change_role(call.hq, login, None, actor=actor, client=client)
        case "reset":
            return _page(call, setup=users.reset_user(call.hq, login, actor=actor))
        case "disable":
            users.disable_user(call.hq, login, actor=actor)
        case "enable":
            users.enable_user(call.hq, login, actor=actor)
        case _:
            raise invalid(action="is role, take-role, reset, disable or enable")
    return Redirect("/access", "access-changed")


def add_key(call: Call) -> Shown:
    """A new key, which is shown once."""
    name, client = call.text("name", needed=True) or "", call.text("client") or None
    scopes = call.body.get("scope") or []
    call.checked("name", "client", "scope")
    wanted = [scopes] if isinstance(scopes, str) else list(scopes)
    made = api_keys.create_key(call.hq, name.strip(), wanted, actor=call.known.actor, client=client)
    return _page(call, key=made.text)


def revoke_key(call: Call) -> Shown:
    """It counts no more."""
    call.checked()
    api_keys.revoke_key(call.hq, call.path["name"], actor=call.known.actor)
    return Redirect("/access", "key-revoked")


def _page(call: Call, *, setup: users.Setup | None = None, key: str | None = None) -> View:
    context = {
        "users": [User.of(one) for one in users.list_users(call.hq)],
        "keys": [ApiKey.of(one) for one in api_keys.list_keys(call.hq)],
        "roles": [one.value for one in Role],
        "scopes": sorted(SCOPES),
        "clients": [one.slug for one in list_clients(call.hq)],
        "setup": setup,
        "key": key,
    }
    return View("access.html", "Access", context)


def _role(text: str | None) -> Role:
    try:
        return Role(text or "")
    except ValueError:
        raise invalid(role=f"is one of: {', '.join(one.value for one in Role)}") from None
