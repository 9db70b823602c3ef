"""Where connections may go is looked at when they are made, whatever a name has resolved to before."""

from __future__ import annotations

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from enrichment_assets.domain.provider import RenderedRequest
from enrichment_assets.wire.transport import AddressNotAllowed, build_client, send
from tests.providers.test_transport import answering, get, serving


class Names(AbstractResolver):
    """Answers with each list of addresses in turn, then with the last; counts how often it was asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest/meta-data/", "http://0.0.0.0:9/", "http://[fd00:ec2::254]/",
     "http://[::ffff:169.254.169.254]/", "http://[::]:9/", "http://224.0.0.1/"],
)  # fmt: skip
async def test_no_workflow_calls_an_address_that_no_provider_has(url: str) -> None:
    async with build_client() as client:
        with pytest.raises(AddressNotAllowed) as refused:
            await send(client, RenderedRequest("GET", url), 5)
    assert refused.value.code == "request.address_not_allowed"


async def test_a_name_leads_to_this_machine_only_when_it_is_called_localhost() -> None:
    async with serving(answering(b"{}")) as server:
        port = server.url.rpartition(":")[2]
        for name, addresses in [("api.stranger.example", ["127.0.0.1"]), ("x.example", ["169.254.169.254", "::1"])]:
            async with build_client(resolver=Names(addresses)) as client:
                with pytest.raises(AddressNotAllowed):
                    await send(client, get(f"http://{name}:{port}/"), 5)
        for name in ("localhost", "n8n.localhost"):
            async with build_client(resolver=Names(["127.0.0.1"])) as client:
                assert (await send(client, get(f"http://{name}:{port}/"), 5)).status == 200
        async with build_client() as client:
            assert (await send(client, get(server.url), 5)).status == 200
    assert len(server.requests) == 3
