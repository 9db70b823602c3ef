"""By what a lead is known at a destination: its identities in their normal form, and the keys made of them. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from enrichment_assets.domain.domains import host_of
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.suppression import Kind, read_identity

_KINDS = {"email": Kind.EMAIL, "phone": Kind.PHONE, "linkedin_url": Kind.LINKEDIN}
_HOSTS = frozenset({"company_domain", "company_website", "website"})


class Named(NamedTuple):
    """One identity of a lead: the column that says it, and the hash (32 bytes) of its normal form."""

    column: str
    sha256: bytes


def identities_of_lead(columns: Sequence[str], lead: Mapping[str, Any]) -> list[Named]:
    """Every identity that a lead has among these columns, in their order; what is no value of its kind names nobody.

    `Ann.Archer+news@gmail.com` and `annarcher@googlemail.com` are one, and so are two ways to write a profile.
    """
    found = []
    for column in columns:
        value = lead.get(column)
        if value is None or isinstance(value, bool | dict | list) or not str(value).strip():
            continue
        normal = normal_form(column, str(value), lead.get("country"))
        if normal is not None:
            found.append(Named(column, hashlib.sha256(f"{column}\x1f{normal}".encode()).digest()))
    return found


def normal_form(column: str, value: str, country: object = None) -> str | None:
    """A value as it is compared; None: it is no value of its column's kind."""
    if (kind := _KINDS.get(column)) is not None:
        try:
            return read_identity(value, kind, country if isinstance(country, str) else None).value
        except ConfigurationError:
            return None
    if column in _HOSTS:
        return host_of(value)
    return " ".join(value.split()).casefold() or None


def delivery_key(client: str, destination: str, target: str, identity: bytes, *, simulated: bool) -> str:
    """Our key for a lead at a destination (40 hex digits), the same in every batch of the client."""
    world = "simulated" if simulated else "real"
    material = "\x1f".join(["delivery", world, client, destination, target, identity.hex()])
    return hashlib.sha256(material.encode()).hexdigest()[:40]


def key_of_delivery_call(key: str, generation: int) -> str:
    """Key of the call about a lead at a destination after so many that ended: two runs that would make it collide."""
    return hashlib.sha256(f"{key}\x1f{generation}".encode()).hexdigest()[:40]
