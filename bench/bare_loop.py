"""The yardstick: a bare asyncio loop that makes the same calls and appends the answers to a file. Nothing is safe here.

Each of `concurrency` workers takes an item, makes its calls one after another and writes each answer. The loop is
uvloop's, as the engine's is. Runs in a process of its own: `python -m bench.bare_loop '{"client": "aiohttp", ...}'`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import uvloop

from bench.usage import peak_megabytes

Post = Callable[[str, bytes], Awaitable[bytes]]
HEADERS = {"content-type": "application/json", "x-api-key": "bench"}
CLIENTS = ("aiohttp", "httpx-aiohttp", "httpx", "pyreqwest")


@dataclass(frozen=True, slots=True)
class Task:
    """What one run of the loop does.

    Attributes:
        urls: One call for each, in turn, for every item.
        callback_url: Given with the last call (an asynchronous submission), whose callback is not waited for.
        path: The file that answers are appended to.
    """

    client: str
    urls: list[str]
    callback_url: str
    items: int
    concurrency: int
    path: str


async def run(task: Task) -> dict[str, Any]:
    """Make all calls; wall time, CPU time and peak memory."""
    numbers = iter(range(1, task.items + 1))
    with Path(task.path).open("ab") as file:  # noqa: ASYNC230 - buffered appends are what is measured

        async def work(post: Post) -> None:
            for number in numbers:
                for step, url in enumerate(task.urls):
                    answer = await post(url, _body(task, number, step))
                    file.write(answer + b"\n")

        async with _opened(task) as post:
            started, cpu = time.perf_counter(), time.process_time()
            await asyncio.gather(*(work(post) for _ in range(task.concurrency)))
            file.flush()
            seconds, used = time.perf_counter() - started, time.process_time() - cpu

    peak = peak_megabytes()
    return {"seconds": seconds, "cpu_seconds": used, "peak_megabytes": peak}


def _body(task: Task, number: int, step: int) -> bytes:
    body: dict[str, Any] = {"item": {"id": number}, "first_name": f"Ann{number}", "last_name": f"Smith{number}"}
    if step == len(task.urls) - 1:
        body["callback_url"] = task.callback_url
    return orjson.dumps(body)


@asynccontextmanager
async def _opened(task: Task) -> AsyncIterator[Post]:
    if task.client == "aiohttp":
        import aiohttp

        connector = aiohttp.TCPConnector(limit=task.concurrency)
        async with aiohttp.ClientSession(connector=connector, headers=HEADERS) as session:

            async def post(url: str, body: bytes) -> bytes:
                async with session.post(url, data=body) as answer:
                    return await answer.read()

            yield post
        return
    import httpx

    limits = httpx.Limits(max_connections=task.concurrency, max_keepalive_connections=task.concurrency)
    transport: Any = httpx.AsyncHTTPTransport(limits=limits)
    if task.client == "httpx-aiohttp":
        from httpx_aiohttp import AiohttpTransport

        transport = AiohttpTransport(limits=limits)
    if task.client == "pyreqwest":
        from pyreqwest.compatibility.httpx import HttpxTransport  # type: ignore[import-not-found]

        transport = HttpxTransport()
    async with httpx.AsyncClient(transport=transport, headers=HEADERS, timeout=60.0, trust_env=False) as client:

        async def post(url: str, body: bytes) -> bytes:
            return (await client.post(url, content=body)).content

        yield post


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(Task(**json.loads(sys.argv[1]))))))
