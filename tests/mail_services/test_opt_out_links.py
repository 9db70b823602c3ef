"""The link by which somebody says stop: what its token holds, who can read it, which bodies are a click."""

from __future__ import annotations

import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.mail.opt_out import (
    LONGEST_TOKEN,
    PATH,
    OptOut,
    is_token,
    opt_out_link,
    opt_out_token,
    read_opt_out,
)
from enrichment_assets.domain.sealing import sealed
from enrichment_assets.domain.suppression import Hasher, Identity, Kind
from enrichment_assets.receiver.opting_out import says_one_click

OURS = Hasher("a pepper that only tests have")
ANOTHER = Hasher("a pepper of another house")
ANN = OptOut(7, "ann@example.com", "9f2c41")


def test_a_token_says_whom_to_who_has_the_pepper_and_nothing_to_others() -> None:
    token = opt_out_token(ANN, OURS)
    assert read_opt_out(token, OURS) == ANN
    assert token == opt_out_token(ANN, OURS), "the same mail has the same link, so that its bytes can be approved"
    assert "ann" not in token and is_token(token)
    assert read_opt_out(token, ANOTHER) is None
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        # The last character of base64 may hold bits that say nothing: the same bytes are the same token.
        assert (
            read_opt_out(changed, OURS) in (None, ANN) if place == len(token) - 1 else not read_opt_out(changed, OURS)
        )
    for wrong in ("", token[:-2], token + "AAAA", token + "=", "x" * 5000, token.swapcase(), "é" * 40, "A" * 28):
        assert read_opt_out(wrong, OURS) is None, wrong


def test_other_things_that_are_sealed_with_the_pepper_are_no_links() -> None:
    import base64

    for identity in (Identity(Kind.EMAIL, "ann@example.com"), Identity(Kind.DOMAIN, "opt-out 1")):
        box = base64.urlsafe_b64encode(sealed(identity, OURS)).decode().rstrip("=")
        assert read_opt_out(box.ljust(28, "A"), OURS) is None


def test_the_longest_address_has_a_link() -> None:
    longest = OptOut(2**63 - 1, f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.com", "k" * 128)  # RFC 5321: 254 octets
    token = opt_out_token(longest, OURS)
    assert len(token) <= LONGEST_TOKEN
    assert read_opt_out(token, OURS) == longest


def test_a_link_is_https_or_on_this_machine() -> None:
    assert opt_out_link("https://hooks.agency.example/in/", ANN, OURS).startswith(
        f"https://hooks.agency.example/in{PATH}"
    )
    assert opt_out_link("http://127.0.0.1:8710", ANN, OURS).startswith(f"http://127.0.0.1:8710{PATH}")
    for base in ("http://hooks.agency.example", "ftp://hooks.agency.example", "", "hooks.agency.example"):
        with pytest.raises(ConfigurationError, match="https"):  # RFC 8058, 3.1: an HTTPS URI
            opt_out_link(base, ANN, OURS)


@pytest.mark.parametrize(
    ("address", "delivery"),
    [("Ann@Example.com", "1"), ("no address", "1"), ("a@b.de, c@d.de", "1"), ("ann@example.com", "1\x1f2"), ("", "1")],
)
def test_a_token_names_one_address_and_one_mail(address: str, delivery: str) -> None:
    with pytest.raises(ConfigurationError):
        opt_out_token(OptOut(1, address, delivery), OURS)


FORM = "application/x-www-form-urlencoded"
MULTIPART = 'multipart/form-data; boundary="b 1"'


@pytest.mark.parametrize(
    ("content_type", "body", "asks"),
    [
        # RFC 8058, 8.1 and 8.2: the bodies of its two examples.
        (FORM, b"List-Unsubscribe=One-Click", True),
        (
            "multipart/form-data; boundary=---FormBoundaryjWmhtjORrn",
            b"-----FormBoundaryjWmhtjORrn\r\n"
            b'Content-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n'
            b"-----FormBoundaryjWmhtjORrn--\r\n",
            True,
        ),
        (
            MULTIPART,
            b"--b 1\r\ncontent-disposition: form-data; name=List-Unsubscribe\r\n\r\nOne-Click\r\n--b 1--",
            True,
        ),
        (f"{FORM}; charset=UTF-8", b"list-unsubscribe=one-click\r\n", True),
        ("", b"List-Unsubscribe=One%2DClick", True),
        (FORM, b"a=b&List-Unsubscribe=One-Click", True),
        (FORM, b"", False),
        (FORM, b"List-Unsubscribe=", False),
        (FORM, b"List-Unsubscribe", False),
        (FORM, b"List-Unsubscribe=One-Click-Not", False),
        (FORM, b"x=List-Unsubscribe=One-Click", False),
        ("application/json", b'{"List-Unsubscribe": "One-Click"}', False),
        (MULTIPART, b"List-Unsubscribe=One-Click", False),
        ("multipart/form-data", b"List-Unsubscribe=One-Click", False),
        (MULTIPART, b'--b 1\r\ncontent-disposition: form-data; name="x"\r\n\r\nOne-Click\r\n--b 1--', False),
        (FORM, b"\xff\xfe\x00", False),
    ],
)
def test_what_is_a_click(content_type: str, body: bytes, asks: bool) -> None:
    assert says_one_click(content_type, body) is asks
