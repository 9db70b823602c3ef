"""A sandbox in the test's own event loop, a client for it, and a listener that keeps the callbacks it gets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio
from aiohttp import web

from enrichment_assets.sandbox import SandboxSettings, running_sandbox

APOLLO_KEY = {"x-api-key": "key-one"}
MARIA = {"first_name": "Maria", "last_name": "Keller", "organization_name": "Acme Labs", "domain": "acme-labs.com"}


@dataclass
class Got:
    """One answer, read whole."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Client:
    """Asks one sandbox."""

    url: str
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, body: Any = None, **kwargs: Any) -> Got:
        if body is not None:
            kwargs["data"] = orjson.dumps(body)
        async with self.session.request(method, f"{self.url}{path}", **kwargs) as answer:
            return Got(answer.status, answer.headers, await answer.read())

    async def get(self, path: str, **kwargs: Any) -> Got:
        return await self.ask("GET", path, **kwargs)

    async def post(self, path: str, body: Any = None, **kwargs: Any) -> Got:
        return await self.ask("POST", path, body, **kwargs)

    async def match(self, person: dict[str, Any] | None = None, scenario: str = "", **headers: str) -> Got:
        sent = {**APOLLO_KEY, **headers, **({"x-sandbox-scenario": scenario} if scenario else {})}
        return await self.post("/apollo/api/v1/people/match", person or MARIA, headers=sent)

    async def configure(self, **settings: Any) -> Got:
        return await self.ask("PATCH", "/_sandbox/settings", settings)

    async def billing(self) -> Any:
        return (await self.get("/_sandbox/billing")).json


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[Client]:
    async with running_sandbox(SandboxSettings(seed=7)) as running, aiohttp.ClientSession() as session:
        yield Client(running.url, session)


@dataclass
class Listener:
    """Where callbacks arrive, in the order in which they do."""

    url: str
    bodies: list[bytes] = field(default_factory=list)
    status: int = 202
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def items(self) -> list[Any]:
        return [orjson.loads(body).get("item_id") for body in self.bodies]

    async def wait_for(self, count: int, seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            while len(self.bodies) < count:  # noqa: ASYNC110 - it polls bodies
                await asyncio.sleep(0.01)


@pytest_asyncio.fixture
async def listener() -> AsyncIterator[Listener]:
    async def receive(request: web.BaseRequest) -> web.Response:
        found.bodies.append(await request.read())
        await found.may_answer.wait()
        return web.Response(status=found.status)

    runner = web.ServerRunner(web.Server(receive))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found = Listener(f"http://127.0.0.1:{runner.addresses[0][1]}/callbacks/token")
    found.may_answer.set()
    yield found
    await runner.cleanup()


@pytest.fixture
def person() -> dict[str, Any]:
    return dict(MARIA)
