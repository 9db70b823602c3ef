"""The sandbox's own endpoints below `/_sandbox/`: settings, bills, recent calls, callbacks, reset, readiness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web
from pydantic import ValidationError

from enrichment_assets.sandbox.exchange import Refusal
from enrichment_assets.sandbox.providers.alert_channels import AlertChannel, PagerDuty

if TYPE_CHECKING:
    from enrichment_assets.sandbox.server import SandboxServer

PREFIX = "/_sandbox/"


async def handle_admin(server: SandboxServer, request: web.BaseRequest) -> web.Response:
    """Answer one request below `/_sandbox/`; everything is JSON."""
    endpoint = (request.method, request.path.removeprefix(PREFIX).strip("/"))
    if endpoint in {("GET", ""), ("GET", "health")}:
        return _json({"status": "ok", "seed": server.settings.seed, "providers": sorted(server.providers)})
    if endpoint == ("GET", "settings"):
        return _json(server.settings.model_dump(mode="json"))
    if endpoint == ("PATCH", "settings"):
        return await _patch(server, request)
    if endpoint == ("GET", "billing"):
        everything = request.query.get("subjects", "true").lower() != "false"
        return _json({**server.billing.report(server.prices(), subjects=everything)})
    if endpoint == ("GET", "calls"):
        return _json({"calls": list(server.billing.recent)})
    if endpoint == ("GET", "callbacks"):
        return _json({**server.callbacks.report(), "recent": list(server.callbacks.recent)})
    if endpoint == ("GET", "messages"):
        return _json(_messages(server))
    if endpoint == ("POST", "flush-callbacks"):
        return _json(await server.callbacks.flush())
    if request.method == "POST" and endpoint[1].startswith("happen/"):
        return await _happen(server, endpoint[1].removeprefix("happen/"), request)
    if endpoint == ("POST", "reset"):
        server.reset()
        return _json({"status": "reset"})
    endpoints = (
        "settings (GET, PATCH), billing, calls, callbacks, messages, health (GET), flush-callbacks, reset, "
        "happen/<provider> (POST)"
    )
    return _json({"error": f"no such endpoint; there are {endpoints}"}, status=404)


async def _happen(server: SandboxServer, name: str, request: web.BaseRequest) -> web.Response:
    """Let something happen at a provider; its callbacks are arranged as those of a request are."""
    provider = server.providers.get(name)
    if provider is None:
        return _json({"error": f"no such provider; known: {', '.join(sorted(server.providers))}"}, status=404)
    try:
        told = orjson.loads(await request.read())
        if not isinstance(told, dict):
            raise TypeError("send a JSON object")
        reply = provider.happen(server.population, told)
    except Refusal as refusal:
        return web.Response(status=refusal.reply.status, body=refusal.reply.body, content_type="application/json")
    except (ValueError, TypeError) as error:
        return _json({"error": str(error)}, status=400)
    behaviour = server.settings.behaviour(name)
    for planned in reply.callbacks:
        server.callbacks.schedule(server.settings.seed, behaviour, planned, 0)
    return web.Response(status=reply.status, body=reply.body, content_type="application/json")


def _messages(server: SandboxServer) -> dict[str, Any]:
    """Channel -> the messages that it took, the oldest first; and PagerDuty's incidents by key."""
    channels = {name: one for name, one in server.providers.items() if isinstance(one, AlertChannel)}
    pagers = [one for one in channels.values() if isinstance(one, PagerDuty)]
    incidents = {key: dict(told) for one in pagers for key, told in one.incidents.items()}
    return {"messages": {name: list(one.messages) for name, one in channels.items()}, "incidents": incidents}


async def _patch(server: SandboxServer, request: web.BaseRequest) -> web.Response:
    try:
        changes = orjson.loads(await request.read())
        if not isinstance(changes, dict):
            raise TypeError("send a JSON object of settings")
        settings = server.settings.patched(changes)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()]
        return _json({"error": "; ".join(problems)}, status=400)
    except (ValueError, TypeError) as error:
        return _json({"error": str(error)}, status=400)
    server.apply(settings)
    return _json(settings.model_dump(mode="json"))


def _json(value: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value), content_type="application/json")
