"""A pace per key, in memory that has a bound; and whom a request is counted for."""

from __future__ import annotations

import pytest

from enrichment_assets.domain.callers import caller_of, trusted_networks
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.pace import Pace


class Clock:
    """A time that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_may_come_at_once_and_after_it_one_an_interval_of_each_key_by_itself() -> None:
    clock = Clock()
    pace = Pace(2.0, 3, now=clock)
    assert [pace.take("a") for _ in range(5)] == [0, 0, 0, 0.5, 0.5]  # what is refused is not counted
    assert (pace.wait("a"), pace.take("b")) == (0.5, 0)
    clock.now += 0.5
    assert [pace.take("a"), pace.take("a")] == [0, 0.5]
    clock.now += 60
    assert [pace.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    pace.forget("a")
    assert pace.wait("a") == 0


def test_strangers_without_number_take_no_more_memory_than_the_bound() -> None:
    clock = Clock()
    pace = Pace(0.01, 2, most=100, now=clock)
    pace.take("first")
    pace.take("first")
    for number in range(100_000):
        pace.take(f"stranger {number}")
        assert len(pace) <= 100
    assert pace.take("first") == 0  # forgotten meanwhile: it begins anew
    clock.now += 1_000
    for number in range(60):
        pace.take(f"later {number}")
    assert len(pace) == 60  # those whose time is over go by themselves


PROXIES = trusted_networks(("10.0.0.0/8", "fd00::/8", "192.0.2.7"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted_for"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # no proxy of ours: it may claim what it likes
        ("10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),  # the sender wrote the first, our proxy the last
        ("10.1.2.3", ["6.6.6.6", "198.51.100.1"], "198.51.100.1"),  # as two headers: RFC 9110, 5.3
        ("10.1.2.3", ["198.51.100.1, 10.9.9.9, 192.0.2.7"], "198.51.100.1"),  # three of our proxies in a row
        ("10.1.2.3", ["10.9.9.9"], "10.9.9.9"),
        ("10.1.2.3", ["198.51.100.1, unknown"], "10.1.2.3"),  # RFC 7239 knows such words; nobody behind it is believed
        ("10.1.2.3", ["_hidden"], "10.1.2.3"),
        ("10.1.2.3", [""], "10.1.2.3"),
        ("10.1.2.3", ["198.51.100.1:61234"], "198.51.100.1"),  # Azure's gateways write the port
        ("10.1.2.3", ["[2001:db8:1:2::9]:443"], "2001:db8:1:2::/64"),
        ("::ffff:10.1.2.3", ["198.51.100.1"], "198.51.100.1"),  # a server on both families sees IPv4 like this
        ("fd00::1", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:aaaa::1", [], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::1", [], "2001:db8:1:2::/64"),  # the same line
        ("fe80::1%eth0", [], "fe80::/64"),
        ("10.1.2.3", ["x" * 100_000 + ", 198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", [", ".join(["10.0.0.1"] * 10_000)], "10.0.0.1"),
        (None, ["198.51.100.1"], "unknown"),
        ("", [], "unknown"),
    ],
)
def test_a_forwarded_address_counts_only_as_far_as_trusted_proxies_wrote_it(
    peer: str | None, forwarded: list[str], counted_for: str
) -> None:
    assert caller_of(peer, forwarded, PROXIES) == counted_for


@pytest.mark.parametrize("text", ["proxy.local", "10.0.0.1/8", "10.0.0.0/33", "*", "10.0.0."])
def test_a_trusted_proxy_that_is_no_address_stops_the_start(text: str) -> None:
    with pytest.raises(ConfigurationError, match="ENRICH_TRUSTED_PROXIES"):
        trusted_networks([text])
