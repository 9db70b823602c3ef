"""What a domain's records mean for mail of it: what is wrong, what to publish, and what the big receivers would do."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Any


class Weight(StrEnum):
    """How much a finding counts."""

    FAULT = "fault"
    """Mail would be refused, land in spam, or answers could not arrive."""
    UNKNOWN = "unknown"
    """It could not be looked up: no mail before it was."""
    WARNING = "warning"
    """Better mended; it stops nothing."""
    FINE = "fine"


STOPS = frozenset({Weight.FAULT, Weight.UNKNOWN})
"""A check with one of these has not passed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check says.

    Attributes:
        code: What it is, as `spf.missing`: the area before the dot.
        weight: How much it counts.
        text: What was found.
        advice: What to do; empty: nothing.
        record: The record to publish, as `_dmarc.acme.com TXT "v=DMARC1; ..."`; empty: none.
    """

    code: str
    weight: Weight
    text: str
    advice: str = ""
    record: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What receivers' rules ask about; None: it could not be told.

    Attributes:
        spf: The sender's service passes SPF.
        dkim: Mail is signed with a key that counts.
        aligned: One of them does so for the domain in From.
        dmarc: There is a record that counts.
        policy: What that record asks for where nothing is aligned.
        reverse_dns: The sending server's address has a name that leads back; True for a service's servers.
        tls: Mail leaves over TLS.
        own_domain: The address in From is at a domain of the sender's.
        one_click: The link to unsubscribe is reached by everybody, over https.
    """

    spf: bool | None
    dkim: bool | None
    aligned: bool | None
    dmarc: bool | None
    policy: str = "none"
    reverse_dns: bool | None = True
    tls: bool | None = True
    own_domain: bool | None = True
    one_click: bool | None = True

    def holds(self, needed: str) -> bool | None:
        """Whether what a rule needs is there."""
        if needed == "spf_or_dkim":
            return _either(self.spf, self.dkim)
        if needed == "dmarc_passes":
            return True if self.policy == "none" or not self.dmarc else self.aligned
        held: bool | None = getattr(self, needed)
        return held


NEEDS = {
    "spf_or_dkim": "SPF or DKIM",
    "spf": "SPF",
    "dkim": "DKIM",
    "dmarc": "a DMARC record",
    "aligned": "SPF or DKIM for the domain in From",
    "dmarc_passes": "DMARC to pass",
    "reverse_dns": "reverse DNS of the sending server",
    "tls": "TLS",
    "own_domain": "a From address of one's own domain",
    "one_click": "one-click unsubscribe over https",
}
"""What rules need, as sentences say it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a receiver would do.

    Attributes:
        receiver: Its name.
        usual: What becomes of a few mails a day: `delivered`, `spam`, `rejected` or `unknown`.
        bulk: What becomes of many.
        why: What is missing, with the reply where the receiver names one.
        from_when: What the receiver calls many.
        source: Where it says so.
    """

    receiver: str
    usual: str
    bulk: str
    why: tuple[str, ...]
    from_when: str
    source: str


_WORST = ("rejected", "spam", "unknown", "delivered")


def outcomes(facts: Facts) -> list[Outcome]:
    """What each of the big receivers would do with mail of a domain."""
    return [_outcome(one, facts) for one in _rules().values()]


def _outcome(receiver: dict[str, Any], facts: Facts) -> Outcome:
    fates: dict[str, set[str]] = {"everybody": {"delivered"}, "bulk": {"delivered"}}
    why = []
    for rule in receiver["rules"]:
        held = facts.holds(rule["needs"])
        if held:
            continue
        fates[rule["of"]].add("unknown" if held is None else _fate(rule["otherwise"], facts))
        reply = f" ({rule['reply']})" if rule["reply"] and held is False else ""
        why.append(f"{NEEDS[rule['needs']]}{reply}")
    usual = _worst(fates["everybody"])
    return Outcome(
        receiver=receiver["name"],
        usual=usual,
        bulk=_worst({usual} | fates["bulk"]),
        why=tuple(dict.fromkeys(why)),
        from_when=receiver["bulk"],
        source=receiver["source"],
    )


def _fate(otherwise: str, facts: Facts) -> str:
    if otherwise in _WORST:
        return otherwise
    return "rejected" if facts.policy == "reject" else "spam"


def _worst(fates: Iterable[str]) -> str:
    return min(fates, key=_WORST.index)


def _either(one: bool | None, other: bool | None) -> bool | None:
    if one or other:
        return True
    return None if one is None or other is None else False


@dataclass(frozen=True, slots=True)
class Sender:
    """A service through which mail leaves: what a domain says so that it may.

    Attributes:
        slug: Its name in settings.
        name: Its name.
        includes: Domains of which one has to be in SPF of the envelope's domain.
        selectors: Under which it publishes keys, where it is always the same.
        envelope: Whose domain is in the envelope: `own`, the `service`'s, or a label before one's own.
        hosts: Its servers for submission; what is below one of them too.
        source: Where the service says so.
    """

    slug: str
    name: str
    includes: tuple[str, ...]
    selectors: tuple[str, ...]
    envelope: str
    hosts: tuple[str, ...]
    source: str

    def envelope_of(self, domain: str) -> str | None:
        """The domain in the envelope of mail that is from a domain; None: the service's."""
        return {"own": domain, "service": None}.get(self.envelope, f"{self.envelope}.{domain}")


def senders() -> dict[str, Sender]:
    """The services that are known, by slug."""
    return _senders()


def sender_at(host: str) -> Sender | None:
    """The service whose server for submission a host is."""
    name = host.lower().rstrip(".")
    known = ((one, at) for one in _senders().values() for at in one.hosts)
    return next((one for one, at in known if name == at or name.endswith(f".{at}")), None)


@lru_cache(maxsize=1)
def _senders() -> dict[str, Sender]:
    found = _data("mail_senders")
    return {slug: Sender(slug, **{name: _frozen(value) for name, value in one.items()}) for slug, one in found.items()}


def _frozen(value: str | list[str]) -> Any:
    return tuple(value) if isinstance(value, list) else value


@lru_cache(maxsize=1)
def _rules() -> dict[str, Any]:
    return _data("mail_rules")


# opens files of ours: the package's own lists
def _data(name: str) -> dict[str, Any]:
    text = files("enrichment_assets.domain").joinpath(f"data/{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
