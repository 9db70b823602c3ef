"""A batch of contacts for HubSpot, some of whom are there already without our key: who is made, who is adopted. Pure.

An account has contacts before we come. One with the address of a lead cannot be made a second time (HubSpot refuses it
as a conflict); it becomes the lead's: it gets our key and what the fields' rules let us write where something stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from enrichment_assets.domain.expressions import blank

Input = dict[str, Any]
"""One contact as a workflow says it: HubSpot's members; `if_empty` and `once` name properties with such rules."""

OURS = ("if_empty", "once")


class Parted(NamedTuple):
    """Inputs by what is done with them: upserted by our key, changed by their id, or refused (as HubSpot tells it)."""

    upserted: list[Input]
    changed: list[Input]
    refused: list[Input]


def addresses(inputs: Sequence[Input]) -> list[str]:
    """E-mail addresses of a batch, as HubSpot keeps them."""
    found = (str((one.get("properties") or {}).get("email") or "").strip().lower() for one in inputs)
    return list(dict.fromkeys(address for address in found if address))


def asked_for(inputs: Sequence[Input]) -> list[str]:
    """Properties that have to be known of contacts that are there: their address, our key, and what may stay theirs."""
    keys = (str(one.get("idProperty")) for one in inputs)
    return list(dict.fromkeys(["email", *keys, *(name for one in inputs for name in one.get("if_empty") or ())]))


def parted(inputs: Sequence[Input], there: Sequence[Mapping[str, Any]]) -> Parted:
    """Who is made and who is adopted.

    Args:
        inputs: The batch.
        there: Contacts that have an address of it, as HubSpot's `batch/read` shows them.
    """
    known = {str((one.get("properties") or {}).get("email") or "").lower(): one for one in there}
    found = Parted([], [], [])
    for one in inputs:
        address = next(iter(addresses([one])), None)
        contact = known.get(address) if address is not None else None
        key = None if contact is None else (contact.get("properties") or {}).get(one["idProperty"])
        if contact is None or key == one["id"]:
            found.upserted.append(_plain(one))
        elif blank(key):
            found.changed.append(_adopted(one, contact))
        else:
            found.refused.append(_taken(one, contact))
    return found


def _plain(one: Input) -> Input:
    return {name: value for name, value in one.items() if name not in OURS}


def _adopted(one: Input, contact: Mapping[str, Any]) -> Input:
    """What is written into a contact that was there before us: our key, and what its fields' rules allow."""
    has = contact.get("properties") or {}
    kept = {name for name in one.get("if_empty") or () if not blank(has.get(name))} | set(one.get("once") or ())
    properties = {name: value for name, value in (one.get("properties") or {}).items() if name not in kept}
    told = {"id": str(contact["id"]), "properties": {**properties, str(one["idProperty"]): one["id"]}}
    return told | ({"objectWriteTraceId": one["objectWriteTraceId"]} if "objectWriteTraceId" in one else {})


def _taken(one: Input, contact: Mapping[str, Any]) -> Input:
    """The error of a contact that is another lead's of ours, in HubSpot's shape."""
    return {
        "status": "error",
        "category": "CONFLICT",
        "message": f"another lead is the contact {contact['id']}, which has this address",
        "context": {"id": [str(contact["id"])], "objectWriteTraceId": [str(one.get("objectWriteTraceId"))]},
    }
