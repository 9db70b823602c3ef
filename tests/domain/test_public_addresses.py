"""Addresses in every form: which belong to everybody, which a provider can have, and what a cell may have fetched."""

from __future__ import annotations

import pytest

from enrichment_assets.domain.public_addresses import (
    address_in,
    is_loopback,
    is_public,
    may_be_configured,
    names_private_place,
)


def words(text: str) -> list[str]:
    return text.split()


# IANA's special-purpose registries, https://www.iana.org/assignments/iana-ipv4-special-registry and ...-ipv6-...
NOT_PUBLIC = words("""
    0.0.0.0 0.255.0.1 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.169.254
    172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.7
    203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b::808:808
    64:ff9b:1::1 100::1 2001::1 2001:20::1 2001:db8::1 2002:7f00:1:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254
    fe80::1 fe80::1%eth0 fec0::1 ff02::1 2606:4700::1111%eth0
""")
PUBLIC = words("""
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255
    172.15.255.255 172.32.0.0 192.167.255.255 198.17.255.255 223.255.255.255 2606:4700::1111 2a00:1450:4001::200e
    2400:cb00::1 2620:fe::fe
""")


def test_only_what_iana_gives_out_is_public() -> None:
    assert [address for address in NOT_PUBLIC if is_public(address)] == []
    assert [address for address in PUBLIC if not is_public(address)] == []
    assert not is_public("acme.com") and not is_public("")


def test_a_provider_can_be_in_a_private_network_but_not_where_no_service_is() -> None:
    # EC2's and Google's metadata: docs.aws.amazon.com/AWSEC2, cloud.google.com/compute/docs/metadata
    never = words("""169.254.169.254 169.254.1.1 0.0.0.0 224.0.0.1 255.255.255.255 :: ff02::1 fe80::1 fd00:ec2::254
        fd20:ce::254 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::1
        ::169.254.169.254 192.0.0.192""")
    assert [address for address in never if may_be_configured(address)] == []
    own = words("10.0.0.5 192.168.1.9 172.17.0.2 127.0.0.1 ::1 fd12:3456::1 100.64.0.3 8.8.8.8 2606:4700::1111")
    assert [address for address in own if not may_be_configured(address)] == []
    assert not may_be_configured("acme.com")


def test_this_machine_is_known_inside_ipv6_addresses_too() -> None:
    ours = words("127.0.0.1 127.8.8.8 ::1 ::ffff:127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::5 ::127.0.0.1")
    assert all(map(is_loopback, ours))
    assert not any(map(is_loopback, ["10.0.0.1", "128.0.0.1", "::2", "::", "2606:4700::1111", "localhost"]))


@pytest.mark.parametrize(
    ("written", "address"),
    [  # WHATWG URL 3.5 "IPv4 parser"; inet_aton(3)
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("10.257", "10.0.1.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0X7F000001", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("0x.0.0.1", "0.0.0.1"),
        ("１２７.０.０.１", "127.0.0.1"),
        ("127。0。0。1", "127.0.0.1"),
        ("①⑥⑨.②⑤④.①⑥⑨.②⑤④", "169.254.169.254"),
        ("%31%32%37.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("[fe80::1%25eth0]", "fe80::1"),
        ("::FFFF:127.0.0.1", "::ffff:7f00:1"),
        ("256.1.1.1", None),
        ("1.2.3.4.5", None),
        ("4294967296", None),
        ("acme.com", None),
        ("0x7g.1", None),
        ("", None),
    ],
)
def test_an_address_is_known_in_every_form_that_a_resolver_takes(written: str, address: str | None) -> None:
    found = address_in(written)
    assert (None if found is None else str(found)) == address


def test_a_url_of_a_machine_or_a_network_is_a_private_place() -> None:
    private = words(r"""
        http://localhost http://LOCALHOST:8080/ http://localhost. http://api.localhost http://127.0.0.1:8710/x
        http://127.1 http://2130706433/ http://0x7f.1 http://0177.0.0.1 http://[::1]/ http://[::ffff:10.0.0.1]:80/
        http://169.254.169.254/latest/meta-data/ https://metadata.google.internal/ https://10.0.0.1?x http://192.168.0.1#y
        http:\\localhost\x http:/127.0.0.1 http:127.0.0.1 http:///127.0.0.1 http://acme.com@127.0.0.1/
        http://acme.com:80@10.0.0.1:99/ http://acme.com\@169.254.169.254/ http://intranet/ http://printer.local
        http://fritz.lan http://wiki.corp http://nas.home.arpa http://１２７.０.０.１/ http://%6c%6fcalhost/ ftp://10.0.0.1
        http://[fe80::1%25eth0]/ https://[64:ff9b::7f00:1] localhost localhost:3000 10.0.0.1 10.0.0.1/admin [::1]:80
        db.internal https://file:///etc/passwd http://
    """)
    assert [
        text for text in [*private, " http://lo\tcalhost", "http://127.0.0.1 "] if not names_private_place(text)
    ] == []
    public = words("""
        https://acme.com http://acme.com:8080/a?u=http://localhost https://8.8.8.8/ https://jo:x@acme.co.uk acme.com
        www.acme.com/localhost https://localhost.acme.com https://xn--mnchen-3ya.de https://münchen.de https://acme.example
        https://[2606:4700::1111]/ https://internal.acme.com https://homely.com 42 intranet 2130706433 +4930123456
        1.2 10.5 127.1
    """)
    assert [text for text in [*public, "", "call Localhost Ltd"] if names_private_place(text)] == []
