"""Child items: what the objects that an answer emits become. Pure: objects and their parent in, rows to insert out.

An object's keys are field names. What makes two objects the same child, and what a child has from its parent, is
decided here (docs/fan-out.md); which steps a child goes through is `domain.planning.child_route`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from enrichment_assets.domain.companies import company_key
from enrichment_assets.domain.emits import ChildStep, Emits
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.known import hashed, known_by
from enrichment_assets.domain.linkedin import linkedin_slug
from enrichment_assets.domain.suppression import Hasher
from enrichment_assets.domain.values import clean, rejection

COMPANY_NAMES = ("company_name", "company_domain", "company_website", "company_linkedin_url", "apollo_account_id")
"""Fields that say which company: an object with one of them has its own, any other is at its parent's."""

COMPANY_FIELDS = (*COMPANY_NAMES, "company_phone", "industry")
"""What a child without a company of its own has from its parent."""

_PERSON_NAMES = ("first_name", "last_name", "full_name", "email", "phone", "linkedin_url", "apollo_contact_id")
_MAX_CHARS = 500
"""A longer value names nobody, and company keys are indexed; it stays in the original data."""
_MAX_KEY = 200


@dataclass(frozen=True, slots=True)
class Parent:
    """The item whose answer emits.

    Attributes:
        fields: Its identity cells, and what steps provided where it has none.
        country: That of its cell, by which a child's phone without `+` is read where the object names none.
    """

    item_id: int
    company_key: str | None
    fields: Mapping[str, Any]
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Child:
    """One item to be: `identity` in the order of `IDENTITY_FIELDS`, `original` the emitted object as JSON text.

    `details` and `rejected` are those of `batch_items`, as JSON text; None: nothing. `known` are the hashes by which it
    is looked up among earlier leads, and those by which later ones may know it; None: nobody asks.
    """

    origin_key: str
    company_key: str | None
    same_company: bool
    identity: tuple[str | None, ...]
    original: str
    details: str | None = None
    rejected: str | None = None
    known: tuple[bytes, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Emission:
    """The children of one answer, and what of it became none.

    Attributes:
        workflow: The emitting step.
        route: Every step of the blueprint, and how children take it.
        unusable: Elements that name nobody, or are no objects.
        beyond: Further children than `Emits.at_most`.
        most_in_batch: The batch's target, where this step's children are counted for it; None: no bound.
    """

    workflow: str
    route: tuple[ChildStep, ...]
    children: tuple[Child, ...]
    unusable: int = 0
    beyond: int = 0
    most_in_batch: int | None = None

    @property
    def note(self) -> str | None:
        """What was left out, in words; None: nothing."""
        parts = []
        if self.unusable:
            parts.append(f"{self.unusable} emitted without a name, address or key")
        if self.beyond:
            parts.append(f"{self.beyond} emitted beyond the {len(self.children)} that are taken")
        return "; ".join(parts) or None


def emission_of(
    emitted: Sequence[Any],
    parent: Parent,
    *,
    workflow: str,
    emits: Emits,
    key_of: Callable[[Mapping[str, Any]], Any],
    route: tuple[ChildStep, ...],
    company_rules: Sequence[str],
    hasher: Hasher | None = None,
) -> Emission:
    """Turn emitted objects into children. Never raises for what an object holds.

    The same objects of the same parent always give the same `origin_key`s, whatever was learnt about the parent since:
    an answer that is applied or read again adds nothing twice.

    Args:
        emitted: Elements of the list; what is no object is counted as unusable.
        parent: The item that was asked about.
        workflow: Slug of the emitting step.
        emits: Its settings.
        key_of: Value of `Emits.key` for an object; null where there is none.
        route: As `domain.planning.child_route` gives it.
        company_rules: The pipeline's `company_identity`.
        hasher: Where leads that the client has already are looked for; None: nobody asks.
    """
    children: dict[str, Child] = {}
    unusable, beyond = 0, set()
    for element in emitted:
        child = _child(element, parent, workflow, key_of, company_rules, hasher) if isinstance(element, dict) else None
        if child is None:
            unusable += 1
        elif child.origin_key in children:
            continue
        elif len(children) < emits.at_most:
            children[child.origin_key] = child
        else:
            beyond.add(child.origin_key)
    return Emission(workflow, route, tuple(children.values()), unusable, len(beyond))


def _child(
    element: Mapping[str, Any],
    parent: Parent,
    workflow: str,
    key_of: Callable[[Mapping[str, Any]], Any],
    rules: Sequence[str],
    hasher: Hasher | None,
) -> Child | None:
    own, details, rejected = _judged(element, parent.country)
    key = _given_key(key_of(element))
    if key is None and not any(name in own for name in (*_PERSON_NAMES, *COMPANY_NAMES)):
        return None
    inherits = not any(name in own for name in COMPANY_NAMES)
    identity = dict(own)
    if inherits:
        inherited = {name: cell for name in COMPANY_FIELDS if (cell := _cell(parent.fields.get(name))) is not None}
        identity = inherited | own
    company = parent.company_key if inherits else company_key(identity, rules)
    return Child(
        # guard: origin-is-the-childs-alone
        origin_key=f"{workflow}:{_short(key or _natural_key(own, parent, inherits=inherits))}",
        company_key=company,
        same_company=company is not None and company == parent.company_key,
        identity=tuple(identity.get(name) for name in IDENTITY_FIELDS),
        original=json_bytes(element).decode(),
        details=json_bytes(details).decode() if details else None,
        rejected=json_bytes(rejected).decode() if rejected else None,
        known=None if hasher is None else hashed(known_by({**details, **identity}), hasher),
    )


def _judged(
    element: Mapping[str, Any], parents_country: str | None
) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
    """The element's identity cells that are values, what they say besides, and what of them is no value.

    The country of the parent says how to write a number only where the object names neither a country nor a company.
    """
    row = element
    if parents_country and not any(element.get(name) for name in (*COMPANY_NAMES, "country", "company_country")):
        row = {**element, "company_country": parents_country}
    own: dict[str, str] = {}
    details: dict[str, Any] = {}
    rejected: dict[str, Any] = {}
    for name in IDENTITY_FIELDS:
        raw = element.get(name)
        cleaned = clean(name, raw, row)
        if (entry := rejection(raw, cleaned)) is not None:
            rejected[name] = entry
        if (cell := _cell(cleaned.value)) is not None:
            own[name] = cell
            details.update(cleaned.details)
    return own, details, rejected


def _natural_key(own: Mapping[str, str], parent: Parent, *, inherits: bool) -> str:
    """The surest thing that names a child: address, profile, id, else all of its own fields and its company."""
    if email := own.get("email"):
        return f"email:{email}"
    if profile := linkedin_slug(own.get("linkedin_url")):
        return f"linkedin:{profile}"
    if contact := own.get("apollo_contact_id"):
        return f"apollo:{contact}"
    fields = [(name, " ".join(own[name].casefold().split())) for name in IDENTITY_FIELDS if name in own]
    # Two Jane Does of two companies are two people. Only what never changes of the parent may stand here.
    at = (parent.company_key or f"item:{parent.item_id}") if inherits else None
    return f"fields:{_digest(orjson.dumps([fields, at]))}"


def _given_key(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value).strip()
    return f"key:{text}" if text else None


def _short(key: str) -> str:
    """The key, or its digest where it is too long for an index or holds what Postgres' text cannot."""
    return key if len(key) <= _MAX_KEY and key.isprintable() else f"sha256:{_digest(key.encode(errors='replace'))}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:40]


def _cell(value: Any) -> str | None:
    """A clean value as a cell; None for blanks and for what is no text or number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    text = str(value)
    return text if text.strip() and len(text) <= _MAX_CHARS and "\0" not in text else None
