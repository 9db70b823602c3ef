"""Where a message may go: said when an address is given, and held when a connection is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.public_addresses import networks
from enrichment_assets.settings import Settings
from enrichment_assets.wire.outgoing import Reach, open_session, post, seconds_of
from tests.providers.test_guarded_connections import Names
from tests.providers.test_transport import answering, closing, serving

HEADERS = {"webhook-id": "msg_1"}

REFUSED = r"""
    http://hooks.acme.com/ ftp://hooks.acme.com/ hooks.acme.com //hooks.acme.com https:// https:///x file:///etc/passwd
    https://user:pass@hooks.acme.com/ https://user@hooks.acme.com/ https://hooks.acme.com/#x https://hooks.acme.com:0/
    https://hooks.acme.com:22/ https://hooks.acme.com:5432/ https://hooks.acme.com:99999/ https://hooks.acme.com:x/
    https://localhost/ https://LOCALHOST./ https://app.localhost/ https://intranet/ https://db.internal/x
    https://metadata.google.internal/ https://printer.local/ https://127.0.0.1/ https://127.1/ https://0177.0.0.1/
    https://0x7f.0.0.1/ https://2130706433/ https://0/ https://[::1]/ https://[::]/ https://[::ffff:127.0.0.1]/
    https://[::ffff:8.8.8.8]/ https://[64:ff9b::7f00:1]/ https://[fc00::1]/ https://[fe80::1]/ https://[ff02::1]/
    https://[2002:7f00:1::]/ https://10.0.0.1/ https://172.16.0.9/ https://192.168.1.1/ https://100.64.0.1/
    https://169.254.169.254/latest/ https://224.0.0.1/ https://255.255.255.255/ https://１２７.０.０.１/
    https://acme.com\@127.0.0.1/ https://%6c%6fcalhost/ gopher://hooks.acme.com/ javascript:alert(1) https://a"b.com/
""".split()  # noqa: SIM905
ALLOWED = """
    https://hooks.acme.com https://hooks.acme.com/a/b?token=x https://hooks.acme.com:8443/ https://8.8.8.8/hook
    https://[2606:4700::1111]/hook https://HOOKS.acme.com:443/ https://xn--mnchen-3ya.de/ https://münchen.de/x
""".split()  # noqa: SIM905


@pytest.mark.parametrize("url", [*REFUSED, "https://hooks.acme.com/a b", "https://x.com/" + "y" * 2_000, ""])
def test_an_address_that_is_not_a_public_servers_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(ConfigurationError, match="the address of the webhook: ") as refused:
        Reach().check(url)
    assert refused.value.code == "webhook.url_refused"
    assert "pass" not in str(refused.value).replace("password", "")


def test_addresses_of_public_servers_are_taken() -> None:
    for url in ALLOWED:
        Reach().check(url)


def test_settings_allow_http_ports_and_networks_and_nothing_beside_them() -> None:
    Reach(http=True).check("http://hooks.acme.com:8080/")
    Reach(ports=frozenset({5678})).check("https://n8n.acme.com:5678/webhook/x")
    inside = Reach(networks=networks(["10.1.0.0/16", "fd12::/16"]))
    for url in ("https://10.1.2.3:9999/", "https://[fd12::5]/", "https://n8n.internal:5678/"):
        inside.check(url)
    for url in ("https://10.2.0.1/", "https://127.0.0.1/", "http://10.1.2.3/"):
        with pytest.raises(ConfigurationError):
            inside.check(url)
    assert (
        inside.permits("10.1.2.3", 9999) and not inside.permits("10.2.2.3", 443) and not inside.permits("8.8.8.8", 25)
    )
    assert not Reach().permits("hooks.acme.com", 443)


def test_settings_that_cannot_be_read_say_so(tmp_path: Path) -> None:
    said = {"ENRICH_HOME": str(tmp_path), "ENRICH_WEBHOOK_NETWORKS": "10.0.0.0/8, 192.168.7.7"}
    reach = Reach.of(Settings.from_environment({**said, "ENRICH_WEBHOOK_PORTS": "5678", "ENRICH_WEBHOOK_HTTP": "1"}))
    assert reach.permits("192.168.7.7", 1) and reach.permits("8.8.8.8", 5678) and reach.http
    for wrong in ({"ENRICH_WEBHOOK_NETWORKS": "10.0.0.1/8"}, {"ENRICH_WEBHOOK_PORTS": "http"}):
        with pytest.raises(ConfigurationError) as refused:
            Reach.of(Settings.from_environment({**said, **wrong}))
        assert refused.value.code == "webhook.setting"


def test_the_simulator_alone_is_reached_on_this_machine() -> None:
    reach = Reach.of(Settings(home=Path("/nowhere"), sandbox_url="http://127.0.0.1:8720"))
    reach.check("http://127.0.0.1:8720/webhooks/crm")
    assert reach.permits("127.0.0.1", 8720) and not reach.permits("127.0.0.1", 8721)
    with pytest.raises(ConfigurationError):
        reach.check("http://127.0.0.1:5432/")


async def test_the_address_that_is_connected_to_is_the_one_that_is_looked_at() -> None:
    """A name that is public when it is looked up, and this machine when it is connected to."""
    async with serving(answering(b"taken")) as server:
        port = int(server.url.rpartition(":")[2])
        reach = Reach(http=True, ports=frozenset({port}))
        url = f"http://hooks.acme.example:{port}/"
        reach.check(url)
        for addresses in (["127.0.0.1"], ["::1"], ["169.254.169.254"], ["10.0.0.1", "127.0.0.1"], ["::ffff:127.0.0.1"]):
            async with open_session(reach, Names(["93.184.216.34"], addresses)) as session:
                resolver = session.connector._resolver._resolver  # type: ignore[union-attr]
                await resolver.resolve("hooks.acme.example")  # somebody's look beforehand: all is well
                sent = await post(session, reach, url, HEADERS, b"{}", timeout=5)
            assert sent.status is None and "not on the public Internet" in (sent.error or "")
        for literal in (f"http://127.0.0.1:{port}/", f"http://[::1]:{port}/", f"http://2130706433:{port}/"):
            async with open_session(reach) as session:
                assert (await post(session, reach, literal, HEADERS, b"{}", timeout=5)).status is None
    assert server.requests == []


def reached(port: int) -> Reach:
    """The reach by which tests get to their own server on this machine."""
    return Reach(http=True, networks=networks(["127.0.0.1"]))


async def test_no_redirect_is_followed_and_no_credential_or_proxy_of_the_environment_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with (
        serving(answering(b"secret", b"")) as inner,
        serving(answering(b"", f"location: {inner.url}/\r\nset-cookie: a=b\r\n".encode(), b"302 Found")) as outer,
    ):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, inner.url)
        async with open_session(reached(0)) as session:
            first = await post(session, reached(0), outer.url, HEADERS, b'{"a":1}')
            await post(session, reached(0), outer.url, HEADERS, b'{"a":1}')
    assert (first.status, first.arrived) == (302, False) and "redirects are not followed" in (first.error or "")
    assert inner.requests == [] and len(outer.requests) == 2
    assert outer.requests[0].endswith(b'\r\n\r\n{"a":1}') and b"webhook-id: msg_1" in outer.requests[0].lower()
    assert b"cookie" not in outer.requests[1].lower() and b"authorization" not in outer.requests[1].lower()


@pytest.mark.parametrize(
    ("status", "headers", "arrived", "rest"),
    [
        (b"200 OK", b"", True, None),
        (b"204 No Content", b"", True, None),
        (b"202 Accepted", b"retry-after: 9\r\n", True, None),
        (b"400 Bad Request", b"", False, None),
        (b"410 Gone", b"", False, None),
        (b"429 Too Many Requests", b"Retry-After: 120\r\n", False, 120.0),
        (b"503 Service Unavailable", b"Retry-After: 3\r\n", False, 3.0),
        (b"500 Internal Server Error", b"Retry-After: 3\r\n", False, None),
        (b"429 Too Many Requests", b"Retry-After: soon\r\n", False, None),
    ],
)
async def test_the_status_says_whether_a_message_arrived(
    status: bytes, headers: bytes, arrived: bool, rest: float | None
) -> None:
    body = b"" if status.startswith(b"204") else b"x" * 2_000_000  # of which nobody reads more than a little
    async with serving(answering(body, headers, status)) as server, open_session(reached(0)) as session:
        sent = await post(session, reached(0), server.url, HEADERS, b"{}")
    assert (sent.arrived, sent.retry_after, sent.status) == (arrived, rest, int(status[:3]))


async def test_a_server_that_is_cut_silent_or_gone_is_a_failure_without_its_address() -> None:
    async def silent(*_: object) -> None:
        import asyncio

        await asyncio.sleep(30)

    async with serving(closing) as cut, serving(silent) as mute, open_session(reached(0)) as session:
        results = [
            await post(session, reached(0), cut.url + "/token-x", HEADERS, b"{}"),
            await post(session, reached(0), mute.url + "/token-x", HEADERS, b"{}", timeout=0.2),
        ]
    async with open_session(reached(0)) as session:
        results.append(await post(session, reached(0), cut.url + "/token-x", HEADERS, b"{}"))
    assert [one.status for one in results] == [None] * 3
    assert [one.error for one in results][1] == "time-out"
    assert not any("token" in (one.error or "") or "127.0.0.1" in (one.error or "") for one in results)


def test_retry_after_is_seconds_or_a_date() -> None:
    # RFC 9110, 10.2.3
    assert seconds_of("120") == 120 and seconds_of(" 5 ") == 5 and seconds_of("0") == 0
    assert seconds_of("Fri, 31 Dec 1999 23:59:59 GMT") == 0
    assert (seconds_of("Fri, 31 Dec 2100 23:59:59 GMT") or 0) > 10**9
    assert [seconds_of(text) for text in ("", "soon", "-5", "1.5", "١٢")] == [None] * 5
    assert (seconds_of("9" * 400) or 0) < 10**13
