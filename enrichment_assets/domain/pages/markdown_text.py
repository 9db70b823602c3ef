"""Markdown and plain text, as scrapers write pages, to text: links to what they say, images and comments gone."""

from __future__ import annotations

import re

from enrichment_assets.domain.pages.page import Found, cloudflare_address
from enrichment_assets.domain.written_contacts import emails_in

_NOT_READ = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style|template|svg)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_TARGET = r"[^()\s<>]{0,4000}(?:\([^()\s]{0,500}\)[^()\s]{0,500})?"
_IMAGE = re.compile(rf"!\[[^\]\n]{{0,500}}\](?:\({_TARGET}(?:\s+\"[^\"\n]{{0,500}}\")?\s*\)|\[[^\]\n]{{0,100}}\])")
# What is shown is read one way only: a backslash goes with what follows it, which begins no link either.
_LINK = re.compile(
    r"(?<![!\\])\[((?:[^\[\]\\\n]|\\.|\[[^\[\]\n]{0,200}\]){0,1000})\]"
    rf"\(\s*<?({_TARGET})>?(?:\s+[\"'(][^\"\n]{{0,500}}[\"')])?\s*\)"
)
_DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]{1,200}\]:\s*<?(\S{1,4000}?)>?(?:\s+[\"'(].{0,300})?$", re.MULTILINE)
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^\s<>]{1,2000}|[^\s<>@]{1,64}@[^\s<>@]{1,253})>")
_BARE = re.compile(r"(?<![\w(<\"'])https?://[^\s<>()\[\]\"'`]{4,2000}")
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,2000}>")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|>~@&])")
_MARKS = re.compile(r"[*_`]+")
_GUARDED = "/cdn-cgi/l/email-protection#"
_HEADING = re.compile(r"^\s{0,3}#{1,2}\s+(.+?)\s*#*$", re.MULTILINE)


def read_markdown(markdown: str, found: Found) -> str:
    """The text of a page; its links and addresses go into `found`, its first heading as its title. Never raises."""

    def link(match: re.Match[str]) -> str:
        shown, target = match.groups()
        if _GUARDED in target and (address := cloudflare_address(target.partition(_GUARDED)[2])) is not None:
            found.addresses([address])
            return address
        found.link(_ESCAPED.sub(r"\1", target), _MARKS.sub("", _ESCAPED.sub(r"\1", shown)))
        return shown

    def autolink(match: re.Match[str]) -> str:
        if "@" not in match.group(1) or match.group(1).startswith("mailto:"):
            found.link(match.group(1))
        return match.group(1).removeprefix("mailto:")

    def definition(match: re.Match[str]) -> str:
        found.link(match.group(1))
        return ""

    text = _IMAGE.sub("", _NOT_READ.sub("", markdown))
    text = _DEFINITION.sub(definition, _AUTOLINK.sub(autolink, _LINK.sub(link, text)))
    for bare in _BARE.finditer(text):
        found.link(bare.group().rstrip(".,;:!?*_"))
    text = _ESCAPED.sub(r"\1", _TAG.sub("", text))
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()
    found.addresses(one.value for one in emails_in(text))
    if found.title is None and (heading := _HEADING.search(text[:5000])) is not None:
        found.title = heading.group(1).strip("*_ ")[:300] or None
    return text
