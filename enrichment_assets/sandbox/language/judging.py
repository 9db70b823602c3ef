"""What a reader would judge from pages: what kind of site it is, which of several addresses is meant."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from enrichment_assets.sandbox.companies import ascii_letters, host_of, slug
from enrichment_assets.sandbox.web.states import STATES, state_code

_KINDS: Sequence[tuple[str, str]] = (
    (
        r"directory|aggregator|list",
        r"\bcompare \d+|\bvisit website\b|list your business|\d\.\d stars\b|rating \d\.\d/5|reviewed by our analysts",
    ),
    (
        r"news|article|media|press|blog",
        r"^By [A-Z].*(?:writer|editor|reporter)|write to the (?:author|editor)|^Text: [A-Z]|subscribe to the paper",
    ),
    (
        r"association|organi[sz]ation|chamber|body",
        r"membership is open|we speak for|chamber of commerce|become a member|represents .* member firms",
    ),
    (
        r"vendor|supplier|software|provider|seller|other_company",
        r"\bbook a demo\b|software for|(?:platform|workspace) that .* run on|free trial"
        r"|send us your cv|we place professionals",
    ),
    (r"personal|diary", r"this is my blog|i write about what i"),
)
"""Words of an option, and what a page of that kind says."""

_OF_FIRMS = re.compile(r"company|firm|business|own|prospect|club|course", re.IGNORECASE)
_OTHER = re.compile(r"other|unknown|none|unclear", re.IGNORECASE)
_PLATFORMS = re.compile(r"facebook|tripadvisor|yelp|linkedin|teetime|instagram|golfnow|twitter", re.IGNORECASE)
_DEAR, _CHEAP = 90, 55
"""US dollars of a weekday's round."""


def kind_of_site(text: str, options: Sequence[str]) -> str | None:
    """Which option says what kind of site a text is of; None: the options are of something else."""
    of_kinds = [option for option in options if any(re.search(words, option) for words, _ in _KINDS)]
    firms = [option for option in options if _OF_FIRMS.search(option) and option not in of_kinds]
    if not of_kinds or not firms or not text:
        return None
    for words, said in _KINDS:
        if re.search(said, text, re.IGNORECASE | re.MULTILINE):
            named = [option for option in options if re.search(words, option)]
            others = [option for option in options if _OTHER.search(option)]
            return next(iter([*named, *others]), of_kinds[0])
    return firms[0]


def own_site(name: str, urls: Sequence[str]) -> str | None:
    """The address whose host is made of a name's first words: the site of who is called so."""
    words = [ascii_letters(word) for word in name.split()[:2]]
    start = "".join(words)
    hosts = {url: ascii_letters(host_of(url)) for url in urls}
    return next((url for url, host in hosts.items() if start and host.startswith(start)), None)


def page_about(inputs: Mapping[str, str], urls: Sequence[str]) -> str | None:
    """The page about the course of one input in the state of another: an association's, else its own site."""
    name, state = slug(inputs.get("course", "")), state_code(inputs.get("state", ""))
    if not name or not state:
        return None
    fitting = [url for url in urls if name in url and not _PLATFORMS.search(url)]
    of_state = slug(STATES[state].name)
    listed = [url for url in fitting if host_of(url).startswith(of_state) or f"golf-{of_state}." in host_of(url)]
    own = [url for url in fitting if host_of(url).startswith(f"{name}-{state.lower()}.") and not _is_deep(url)]
    return next(iter([*listed, *own]), None)


def segment(access: str, fee: float | None, options: Sequence[str]) -> str | None:
    """Which of high-end, budget or both a course is; None: the options are of something else."""
    if not {"high-end", "budget"} <= {option.replace("_", "-") for option in options}:
        return None
    plain = access.casefold()
    is_dear = plain.startswith("private") or (fee is not None and fee >= _DEAR)
    is_cheap = plain.startswith("municipal") or (fee is not None and fee <= _CHEAP)
    wanted = "both" if is_dear == is_cheap else "high-end" if is_dear else "budget"
    return next((option for option in options if option.replace("_", "-") == wanted), None)


def _is_deep(url: str) -> bool:
    return bool(urlsplit(url).path.strip("/"))
