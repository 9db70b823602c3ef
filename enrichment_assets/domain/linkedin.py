"""LinkedIn addresses: the one public form of a person's and of a company's page, out of any spelling of it.

Two spellings of one page are one address (`de.linkedin.com/in/Jo-Doe/?trk=x`, `linkedin.com/mwlite/in/jo-doe`). What is
no public page of one person or company is none: a search, a post, a lead of the Sales Navigator (its id opens only for
the account that saw it), and the pages that LinkedIn shows in place of one that is gone.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote, unquote

from enrichment_assets.domain.domains import EDGES, address_on

_HOST = "linkedin.com"
_PREFIX = r"^/+(?:mwlite/+|m/+|mobile/+|comm/+|[a-z]{2}(?:[_-][a-z]{2})?/+)?"
_PERSON = re.compile(rf"{_PREFIX}in/+([^/]+)", re.IGNORECASE)
_OLD_PERSON = re.compile(_PREFIX + r"pub/+([^/]+)/+([0-9a-f]{1,3})/+([0-9a-f]{1,3})/+([0-9a-f]{1,3})", re.IGNORECASE)
_OLD_SHORT = re.compile(rf"{_PREFIX}pub/+([^/]+)/*$", re.IGNORECASE)
_COMPANY_KINDS = "company|company-beta|organization|organisation|school|edu|showcase|sales/+company"
_COMPANY = re.compile(rf"{_PREFIX}({_COMPANY_KINDS})/+([^/]+)", re.IGNORECASE)
_KINDS = {"school": "school", "edu": "school", "showcase": "showcase"}
_MEMBER_ID = re.compile(r"^AC[ow]AA[\w-]{10,}$")
_SLUG_JUNK = re.compile(r"(?:[\s\"<>|;\\]|&\w+[;=]|&amp).*$|[.,:!?&#='()\[\]{}]+$", re.DOTALL)
_GONE_SLUGS = """
unavailable notfound not-found 404 null none undefined me edit login signup authwall linkedin-member setup dir
"""
_GONE = frozenset(_GONE_SLUGS.split())
_MAX_SLUG = 200
_USUAL_PERSON = re.compile(
    r"https?://(?:www\.)?linkedin\.com/in/((?![Aa][Cc][OoWw][Aa][Aa])[A-Za-z0-9][A-Za-z0-9-]{1,99})/?"
)
"""How exports write most profiles: looked at first, because a list has a hundred thousand of them."""


@lru_cache(maxsize=65_536)
def linkedin_person(text: str | None) -> str | None:
    """`https://www.linkedin.com/in/<slug>` of the first person's page in a cell; None when there is none.

    The slug is in lower case and percent-encoded UTF-8, as LinkedIn writes it; a member id (`ACoAA...`) keeps its case,
    which carries meaning. `/pub/jo-doe/12/345/678` is the old form of `/in/jo-doe-67834512`. Never raises.
    """
    if text and (usual := _USUAL_PERSON.fullmatch(text)) and (slug := usual.group(1).lower()) not in _GONE:
        return f"https://www.{_HOST}/in/{slug}"
    path = address_on(_HOST, text)
    if path is None:
        return None
    if old := _OLD_PERSON.match(path):
        name, one, two, three = old.groups()
        slug = _slug(f"{name}-{three.zfill(3)}{two.zfill(3)}{one}")
    else:
        match = _PERSON.match(path) or _OLD_SHORT.match(path)
        slug = _slug(match.group(1)) if match else None
    return f"https://www.{_HOST}/in/{quote(slug, safe='-_~')}" if slug else None


@lru_cache(maxsize=65_536)
def linkedin_company(text: str | None) -> str | None:
    """`https://www.linkedin.com/company/<slug>` (or `school`, `showcase`) of the first such page in a cell, else None.

    The slug can be a number: LinkedIn's own id of the company. `organization` and the Sales Navigator's `sales/company`
    open the same page. Never raises.
    """
    path = address_on(_HOST, text)
    match = _COMPANY.match(path) if path else None
    slug = _slug(match.group(2)) if match else None
    if match is None or slug is None:
        return None
    return f"https://www.{_HOST}/{_KINDS.get(match.group(1).lower(), 'company')}/{quote(slug, safe='-_~&.')}"


def linkedin_slug(address: str | None) -> str | None:
    """What follows `/in/`, `/company/` and so on in an address of one of these two forms."""
    return None if address is None else unquote(address.rpartition("/")[2])


def _slug(text: str) -> str | None:
    """The last part of an address, decoded (twice where it was encoded twice) and cut at what cannot be of it."""
    decoded = unquote(text)
    decoded = unquote(decoded) if "%" in decoded else decoded
    slug = _SLUG_JUNK.sub("", decoded.strip().replace("\ufffd", "")).strip(EDGES)
    if not _MEMBER_ID.match(slug):
        slug = slug.casefold()
    is_none = not slug or slug in _GONE or len(slug) > _MAX_SLUG or not any(sign.isalnum() for sign in slug)
    return None if is_none else slug
