"""A page gives what a reader sees, and the addresses that are meant to be written to; nothing else of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment_assets.domain.pages.markdown_text import read_markdown
from enrichment_assets.domain.pages.page import MAX_TEXT, Found, PageFault
from enrichment_assets.domain.pages.reading import MAX_BYTES, page_of

SAYS = "We build pumps in Bremen and ship them to forty countries. Ask us."


def guarded(address: str, key: int = 0x42) -> str:
    """What Cloudflare writes for an address: its key and each byte xor the key, in hex (`email-decode.min.js`)."""
    return bytes([key, *(byte ^ key for byte in address.encode())]).hex()


PAGE = f"""<!DOCTYPE html><html lang="de-AT"><head><title>Acme &amp; Co</title>
<script>var to = 'script@evil.com'</script><style>.x {{ content: 'style@evil.com' }}</style>
<meta name="author" content="meta@evil.com"></head>
<body><!-- comment@evil.com --><div class="cookie-banner">We use cookies. Accept all. banner@evil.com</div>
<nav><a href="/about">About</a><a href="team#x">Team</a></nav><h1>Acme <b>Pumps</b></h1>
<p>We build pumps&nbsp;in Bremen.</p><ul><li>One<li>Two</ul><img src="logo@2x.png" alt="alt@evil.com">
<table><tr><td>Tel</td><td>+49 421 1234567</td></tr></table>
<span>E-Mail</span><span>info&#64;acme.de</span><br>joe.<b>doe@acme.de</b> or sales [at] acme [dot] de
<a href="mailto:Chef%40acme.de?subject=x%40evil.com">Write</a> <a href="tel:+43-1-5123456">call</a>
<a href="/cdn-cgi/l/email-protection" data-cfemail="{guarded("cf@acme.de")}">[email&#160;protected]</a>
<a href="/cdn-cgi/l/email-protection#{guarded("cf2@acme.de", 7)}">Mail</a>
<a href="javascript:alert(1)">x</a><a href="https://acme.de@evil.com/">y</a><a href="https://linkedin.com/company/acme">L</a>
<input placeholder="placeholder@evil.com" value="value@evil.com"><div data-mail="data@evil.com"></div>
<noscript><img src="/t?e=track@evil.com">noscript@evil.com</noscript><template>template@evil.com</template>
<iframe srcdoc="<p>frame@evil.com"></iframe><svg><text>svg@evil.com</text></svg></body></html>"""


def test_a_page_is_read_as_a_person_sees_it() -> None:
    page = page_of(PAGE.encode(), "text/html; charset=utf-8", "https://www.acme.de/de/")
    assert page.text.split("\n") == [
        "About Team", "", "# Acme Pumps", "We build pumps in Bremen.", "- One", "- Two", "Tel +49 421 1234567",
        "E-Mail info@acme.de",
        "joe.doe@acme.de or sales [at] acme [dot] de Write call cf@acme.de cf2@acme.de xyL",
    ]  # fmt: skip
    assert set(page.emails) == {
        "chef@acme.de", "cf@acme.de", "cf2@acme.de", "info@acme.de", "joe.doe@acme.de", "sales@acme.de"
    }  # fmt: skip
    assert page.phones == ("+4315123456", "+494211234567")
    assert page.links == (
        "https://www.acme.de/about", "https://www.acme.de/de/team", "https://linkedin.com/company/acme"
    )  # fmt: skip
    assert (page.title, page.language, page.fault) == ("Acme & Co", "de", None)


@pytest.mark.parametrize(
    ("pieces", "address"),
    [
        ("<span>jane.doe</span><span>@</span><span>acme.de</span>", "jane.doe@acme.de"),
        ("<b>jane</b><i>@acme.de</i>", "jane@acme.de"),
        ("jane<span>@</span>acme.de", "jane@acme.de"),
        ("<span>E-Mail</span><span>info@acme.de</span>", "info@acme.de"),
        ("<span>Follow us</span><span>@acme</span>", None),
    ],
)
def test_an_address_in_pieces_is_one_address(pieces: str, address: str | None) -> None:
    page = page_of(f"<body><p>{SAYS}</p><p>{pieces}</p>".encode(), "text/html")
    assert page.emails == ((address,) if address else ())


def test_a_link_says_where_it_leads_by_its_text_or_its_label() -> None:
    page = page_of(
        b"<body><a href=/p?id=3>Our <b>people</b></a><a href=/x><img src=x.png></a><a href=/y aria-label='Contact us'>"
        b"<svg></svg></a><a href=/y>Write</a><a href=/x>  Later \n text </a><a href=/z title=News></a>"
        b"<a href=/v>" + b"v" * 200 + b"</a><a href=mailto:a@acme.de>Mail</a><a href=#top>Top</a>",
        "text/html",
        "https://acme.de/",
    )
    assert dict(zip(page.links, page.link_texts, strict=True)) == {
        "https://acme.de/p?id=3": "Our people",
        "https://acme.de/x": "Later text",
        "https://acme.de/y": "Contact us",
        "https://acme.de/z": "News",
        "https://acme.de/v": "v" * 80,
        "https://acme.de/": "Top",
    }
    markdown = page_of(b"[**Our team**](https://acme.de/t) and [](https://acme.de/u) https://acme.de/w", "text/plain")
    assert dict(zip(markdown.links, markdown.link_texts, strict=True)) == {
        "https://acme.de/t": "Our team",
        "https://acme.de/u": "",
        "https://acme.de/w": "",
    }
    assert (page.payload()["link_texts"], page.payload()["links"]) == (list(page.link_texts), list(page.links))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        # schema.org: Person.email, Organization.email, employee, member, contactPoint; author and review are of others.
        ('{"@type":"Person","email":"jane@acme.de"}', ("jane@acme.de",)),
        ('{"@graph":[{"employee":[{"email":"a@acme.de"},{"email":"mailto:b@acme.de"}]}]}', ("a@acme.de", "b@acme.de")),
        ('[{"email":"info@acme.de","contactPoint":{"email":"sales@acme.de"}}]', ("info@acme.de", "sales@acme.de")),
        ('{"review":[{"author":{"email":"x@evil.com"}}],"publisher":{"email":"y@evil.com"}}', ()),
        ('{"description":"write to evil@evil.com","url":"mailto:evil@evil.com"}', ()),
        ('{"email":"no address"}', ()),
        ('{"email":["list@acme.de"]}', ()),
        ('{"email":"cut@acme.de"', ()),
        ("[" * 5000 + '{"email":"deep@acme.de"}', ()),
    ],
)
def test_addresses_that_a_page_writes_for_machines_are_read_and_nothing_else_of_a_script(
    data: str, found: tuple[str, ...]
) -> None:
    page = page_of(f'<script type="application/ld+json">{data}</script><p>{SAYS}'.encode(), "text/html")
    assert (page.text, page.emails) == (SAYS, found)


@pytest.mark.parametrize(
    "unseen",
    [
        "<p hidden>H</p>", "<p style='display: none'>H</p>", "<p style='VISIBILITY:hidden'>H</p>",
        "<p style='opacity:0'>H</p>", "<p style='font-size:0'>H</p>", "<p style='font-size: 1px'>H</p>",
        "<p style='position:absolute;left:-9999px'>H</p>", "<p style='text-indent:-9999px'>H</p>",
        "<p style='color:white'>H</p>", "<p style='color:#FFFFFF'>H</p>", "<font color=white>H</font>",
        "<div style='background:#fff'><p style='color:rgb(255, 255, 255)'>H</p></div>",
        "<p style='color:#123456;background-color:#123456'>H</p>", "<p bgcolor=red><span style='color:red'>H</span>",
        "<p style='height:0;overflow:hidden'>H</p>", "<!-- H -->", "<p title='H' aria-label='H'></p>",
        "<select><option>H</select>", "<textarea>H</textarea>", "<p style='display:none'><b>a<i>b</b>H</i></p>",
        "<p style='clip-path: inset(100%)'>H</p>", "<p style='display:/**/none'>H</p>",
    ],
)  # fmt: skip
def test_what_is_hidden_is_not_read(unseen: str) -> None:
    assert page_of(f"<body><p>{SAYS}</p>{unseen}</body>".encode(), "text/html").text == SAYS


@pytest.mark.parametrize(
    "seen",
    [
        "<div class='hero'><p style='color:white'>H</p></div>", "<p style='color:#fff;background:#000'>H</p>",
        "<p style='font-size:12px'>H</p>", "<p style='opacity:0.9'>H</p>", "<button>H</button>", "<p>H",
        "<div style='background:navy'><p style='color:white'>H</p></div>", "<p aria-hidden=true>H</p>",
    ],
)  # fmt: skip
def test_what_is_seen_is_read(seen: str) -> None:
    assert page_of(f"<body><p>{SAYS}</p>{seen}</body>".encode(), "text/html").text == f"{SAYS}\nH"


def test_markdown_is_read_without_its_signs_for_links_and_images() -> None:
    markdown = f"""# Acme

[![Logo](https://acme.de/logo@2x.png)](https://acme.de/) **Pumps** [Team](https://acme.de/team "T") <info@acme.de>
![x](https://evil.com/?d=secret) [mail](mailto:a.b@acme.de) <!-- c@evil.com --> see https://acme.de/x.
[[email protected]](/cdn-cgi/l/email-protection#{guarded("cf@acme.de")}) <script>s@evil.com</script>
[1]: https://acme.de/ref
Contact: j\\_d@acme.de +49 421 1234567"""
    page = page_of(markdown.encode(), "text/markdown; charset=utf-8")
    assert page.text.split("\n") == [
        "# Acme", "", " **Pumps** Team info@acme.de", " mail  see https://acme.de/x.", "cf@acme.de", "",
        "Contact: j_d@acme.de +49 421 1234567",
    ]  # fmt: skip
    assert set(page.emails) == {"cf@acme.de", "a.b@acme.de", "info@acme.de", "j_d@acme.de"}
    assert page.links == ("https://acme.de/", "https://acme.de/team", "https://acme.de/ref", "https://acme.de/x")
    assert (page.title, page.phones, page.fault) == ("Acme", ("+494211234567",), None)


def test_markdown_that_begins_with_a_tag_is_markdown_and_a_document_is_html() -> None:
    banner = '<p align="center"><b>Acme</b></p>\n\nWe build [pumps](https://acme.de/pumps).'
    assert page_of(banner.encode()).text == "Acme\n\nWe build pumps."
    assert page_of(b"<html><p>See [the note](below) here.").text == "See [the note](below) here."
    assert page_of(b"<p>One.</p><p>Two.").text == "One.\nTwo."


FAULTS: list[tuple[PageFault | None, str]] = [
    (
        PageFault.CONSENT_WALL,
        "<title>Before you continue to Google</title><h1>Before you continue"
        "</h1><button>Accept all</button>",
    ),
    (
        PageFault.CONSENT_WALL,
        "<h1>Ihre Privatsphäre</h1>"
        "<p>Wir und unsere Partner verwenden Cookies.</p><p>Alle akzeptieren</p>",
    ),
    (
        PageFault.CONSENT_WALL,
        "<div id='onetrust-consent-sdk'>We value your privacy. Accept all"
        "</div><div id=app></div><script src=a.js></script>",
    ),
    (
        PageFault.LOGIN_WALL,
        "<title>Sign in - Acme</title><form>Email <input> Password "
        "<input type=password> <a>Forgot password?</a></form>",
    ),
    (PageFault.LOGIN_WALL, "<title>Log In | Intranet</title><p>Continue with SSO</p>"),
    (PageFault.LOGIN_WALL, "<h1>Opening soon</h1><p>Enter store password</p><input type=password>"),
    (PageFault.PARKED_DOMAIN, "<h1>acme.com</h1><p>This domain is for sale! Make an offer.</p>"),
    (PageFault.PARKED_DOMAIN, "<title>acme.de</title><p>Diese Domain steht zum Verkauf</p>"),
    (
        PageFault.PARKED_DOMAIN,
        "<h1>Welcome to nginx!</h1>"
        "<p>If you see this page, the nginx web server is installed.</p>",
    ),
    (
        PageFault.PARKED_DOMAIN,
        "<title>Apache2 Ubuntu Default Page: It works</title>"
        "<p>This is the default welcome page.</p>",
    ),
    (PageFault.PARKED_DOMAIN, "<p>Website coming soon</p>"),
    (PageFault.PARKED_DOMAIN, "<p>The domain name acme.com is registered with GoDaddy.</p>"),
    (PageFault.ERROR_PAGE, "<title>404 Not Found</title><h1>Not Found</h1><p>The requested URL was not found.</p>"),
    (PageFault.ERROR_PAGE, "<title>Seite nicht gefunden - Acme</title><nav>Start Produkte</nav><p>Hoppla.</p>"),
    (
        PageFault.ERROR_PAGE,
        "<title>Just a moment...</title>"
        "<p>Verify you are human by completing the action below.</p>",
    ),
    (PageFault.ERROR_PAGE, "<title>Attention Required! | Cloudflare</title><h1>Sorry, you have been blocked</h1>"),
    (PageFault.ERROR_PAGE, "<h1>503 Service Unavailable</h1>"),
    (PageFault.ERROR_PAGE, "<p>Error establishing a database connection</p>"),
    (PageFault.ERROR_PAGE, "<h1>Account Suspended</h1><p>This account has been suspended. Contact your host.</p>"),
    (
        PageFault.EMPTY_PAGE,
        "<div id=root></div>"
        "<noscript>You need to enable JavaScript to run this app.</noscript><script src=a.js></script>",
    ),
    (PageFault.EMPTY_PAGE, "<title>Acme</title><div id=__next>Loading...</div><script src=a.js></script>"),
    (PageFault.EMPTY_PAGE, "<title>Acme</title><body><img src=home.jpg></body>"),
    (PageFault.EMPTY_PAGE, "<frameset><frame src=main.htm></frameset>"),
    (PageFault.EMPTY_PAGE, ""),
    (PageFault.EMPTY_PAGE, "<p>" + "x" * 200_000),
    # Content, although it has the words.
    (None, f"<div class=cookie-notice>We use cookies. Accept all</div><p>{SAYS}</p>"),
    (None, f"<h1>Cookie consent for everyone</h1><p>Our platform manages consent. {SAYS * 8}</p>"),
    (None, f"<a>Log in</a><h1>Acme</h1><p>{SAYS}</p><form>Newsletter <input></form>"),
    (None, f"<h1>Domains for sale</h1><p>We sell names. {SAYS * 40}</p>"),
    (None, "<h1>Acme</h1><p>Pumps. info@acme.de</p><script>1</script>"),
    (None, f"<h1>Our 404 collection</h1><p>{SAYS}</p>"),
    (None, "<p>株式会社トヨタ 自動車を作っています。</p>"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "html"), FAULTS)
def test_a_page_that_is_no_content_says_why(fault: PageFault | None, html: str) -> None:
    assert page_of(html.encode(), "text/html; charset=utf-8").fault == fault


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("Größer, Müller.".encode("latin-1"), "text/html; charset=utf-8", "Größer, Müller."),  # says the wrong one
        ("Größer, Müller.".encode(), "text/html; charset=iso-8859-1", "Größer, Müller."),
        ("<meta charset=shift_jis><p>日本語の会社です。".encode("shift_jis"), "text/html", "日本語の会社です。"),
        ("“Größer” – Müller.".encode("cp1252"), "text/html", "“Größer” – Müller."),
        ("\ufeffGrößer, Müller.".encode("utf-16"), "text/html", "Größer, Müller."),
        ('<?xml version="1.0" encoding="windows-1251"?><p>Насосы.</p>'.encode("cp1251"), "text/html", "Насосы."),
        (b"a\0b <p>Pumps.", "text/html", "a\ufffdb\nPumps."),
        (b"<p>Pumps \xff\xfe here.", "text/html; charset=nonsense", "Pumps ÿþ here."),
        (b"<div <p>>Broken. </b></p><<<a href=x", "text/html", "Broken."),
    ],
)
def test_a_page_is_read_in_the_encoding_that_it_is_in(body: bytes, content_type: str, text: str) -> None:
    assert text in page_of(body, content_type).text


@pytest.mark.parametrize("body", [b"%PDF-1.7 x", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"GIF89a"])
def test_what_is_no_page_is_none_whatever_it_is_called(body: bytes) -> None:
    assert page_of(body, "text/html").fault is PageFault.NOT_A_PAGE


def test_ten_megabytes_and_ten_thousand_levels_are_read_within_bounds() -> None:
    page = page_of(b"<p>word word <a href='https://a.de/x'>l</a></p>" * 220_000, "text/html")
    assert (page.fault, len(page.text), page.links) == (None, MAX_TEXT, ("https://a.de/x",))
    for deep in ("<div>", "<b>", "<table><tr><td>", "<ul><li>", "<x1><x2><x3>", "<a href=x><div>"):
        nested = deep * 10_000 + f"<p>{SAYS}</p>"
        assert page_of(nested.encode(), "text/html").text.endswith(SAYS)
    unclosed = "<p>" + "".join(f"<b id={n}>" for n in range(9000)) + "</p>" + f"<p>{SAYS}</p>" * 9000
    assert page_of(unclosed.encode(), "text/html").text.startswith(f"{SAYS}\n{SAYS}")
    assert page_of(b"<p>a.</p>" + b" " * MAX_BYTES + b"<p>b</p>", "text/html").text == "a."


@given(
    st.binary(max_size=300),
    st.sampled_from(["text/html", "text/markdown", "", "image/png", "text/html; charset=utf-16"]),
)
def test_reading_a_page_never_raises(body: bytes, content_type: str) -> None:
    page = page_of(body, content_type)
    assert "\0" not in page.text
    assert page_of(b"<p>" + body, "text/html").payload()["text"] is not None


@pytest.mark.parametrize(
    "unclosed",
    [
        "[" + "\\u00ad" * 200,
        "[\\" * 300,
        "[a" * 2_000,
        "[[a]" * 500,
        "![" * 2_000,
        "](" * 2_000,
        "[a](" * 1_000,
        "\\" * 4_001,
    ],
)
def test_brackets_that_nobody_closes_are_text_and_are_read_once(unclosed: str) -> None:
    page = Found(None)
    assert "sales@acme.com" in read_markdown(f"{unclosed} write to sales@acme.com", page)
