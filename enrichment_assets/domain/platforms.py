"""Platforms: hosts whose pages belong to somebody else than the company that runs them (`data/platforms.csv`).

`https://github.com/acme` is a page that Acme has at GitHub, `https://github.com` is GitHub's own site. Which is which
stands in the file, a line per host or start of a path:

    members   every page is a member's (play.google.com, *.myworkdayjobs.com), and a shortener's target is anybody's
    paths     the front page is the platform's own, what lies below it a member's (yelp.com/biz/acme)
    hosts     the platform's own site, a subdomain is a member's (acme.bamboohr.com)
    both      a subdomain and what lies below the front page are members' (acme.tumblr.com, medium.com/@acme)
    own       the platform's own, though a shorter line says otherwise (docs.github.com)
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal, cast

Belongs = Literal["members", "paths", "hosts", "both", "own"]

_FRONT = re.compile(r"^/*(?:(?:index|default|home)\.\w{2,5})?/*$", re.IGNORECASE)
_OWN_PATHS = frozenset({"about", "about-us", "careers", "press", "legal", "privacy", "terms", "contact"})
_OWN_SUBDOMAINS = """
www about support help blog docs developer developers careers jobs status community news press investors ir corporate
en de fr es it nl pt mobile m
"""
_OWN_LABELS = frozenset(_OWN_SUBDOMAINS.split())
_ANY_SUFFIX = ".*"


@dataclass(frozen=True, slots=True)
class Platform:
    """One line of the file: `host` (`amazon.*`: under every public suffix), start of a path, kind, whose pages."""

    host: str
    path: str
    kind: str
    belongs: Belongs


def members_page(host: str, path: str, suffix: str) -> Platform | None:
    """The platform on which this page is a member's; None: the page is of the company that runs the host.

    Args:
        host: Lower case, ASCII, without `www.`.
        path: What follows it, `/` or nothing for the front page.
        suffix: Public suffix of the host (`co.uk`).
    """
    platform = platform_of(host, path, suffix)
    return platform if platform is not None and _is_members(platform, host, path) else None


def platform_of(host: str, path: str, suffix: str) -> Platform | None:
    """The line that says most about this page: of the longest host, then of the longest path."""
    stem = host.removesuffix(f".{suffix}").split(".")
    for start in range(len(stem)):
        name = ".".join(stem[start:])
        for known in (f"{name}.{suffix}", name + _ANY_SUFFIX):
            fitting = [line for line in _platforms().get(known, ()) if _begins_with(path, line.path)]
            if fitting:
                return max(fitting, key=lambda line: len(line.path))
    return None


def _is_members(platform: Platform, host: str, path: str) -> bool:
    if platform.belongs in {"members", "own"}:
        return platform.belongs == "members"
    below_front = _FRONT.match(path) is None and path.strip("/").casefold() not in _OWN_PATHS
    if platform.belongs == "paths":
        return below_front
    subdomain = host.rpartition(platform.host.removesuffix(_ANY_SUFFIX))[0].strip(".")
    is_members_host = bool(subdomain) and subdomain not in _OWN_LABELS
    return is_members_host or (platform.belongs == "both" and below_front)


def _begins_with(path: str, start: str) -> bool:
    """Whole segments: `/s` begins `/s/x`, not `/sports`."""
    given = path.casefold()
    return not start or given == start or given.startswith(f"{start}/")


# opens files of ours: the package's own lists
@lru_cache(maxsize=1)
def _platforms() -> dict[str, list[Platform]]:
    text = files("enrichment_assets.domain").joinpath("data/platforms.csv").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    known: dict[str, list[Platform]] = {}
    for row in csv.DictReader(lines, strict=True):
        host, slash, path = row["address"].partition("/")
        known.setdefault(host, []).append(Platform(host, slash + path, row["kind"], cast("Belongs", row["belongs"])))
    return known
