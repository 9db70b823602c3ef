"""What arrived, held against what was to: each mail once, as it was handed over, and none to who answered."""

from __future__ import annotations

from collections import Counter
from email import message_from_bytes
from email.utils import parseaddr

from tests.services.mail.soak import COPIES, Person, Soak


def verdict(soak: Soak) -> dict[str, object]:
    """What is not as it should be; empty where all is.

    A mail and its copy are two recipients of one message, which server and queue may part: each is waited for.
    """
    soak.world.come_to_rest()
    found: dict[str, object] = {}
    copies = [(_id(kept), _own(kept)) for kept in soak.world.mailbox(COPIES)]
    if twice := [name for name, count in Counter(name for name, _ in copies).items() if count > 1]:
        found[f"{COPIES}: twice"] = twice
    handed_over = dict(copies)
    soak.happened["mails that left"] = len(handed_over)
    for person in soak.people:
        kept = soak.world.mailbox(person.address)
        if wrong := _wrong(soak, person, Counter(_step(one) for one in kept)):
            found[person.address] = wrong
        if missing := [_id(one) for one in kept if _id(one) not in handed_over]:
            found[f"{person.address}: without a copy"] = missing
        if changed := [_id(one) for one in kept if _own(one) != handed_over.get(_id(one), _own(one))]:
            found[f"{person.address}: bytes"] = changed
        handed_over = {name: own for name, own in handed_over.items() if name not in {_id(one) for one in kept}}
    return found | _to_nobody(soak, list(handed_over.values()))


def _to_nobody(soak: Soak, mails: list[bytes]) -> dict[str, object]:
    """Of mails that left and are in nobody's mailbox: those that are lost, and those behind what came back."""
    to = Counter(parseaddr(str(message_from_bytes(one)["To"]))[1] for one in mails)
    refused = {person.address for person in soak.people if person.role in ("unknown", "bounces")}
    lost, too_many = set(to) - refused, [address for address, count in to.items() if count > 1]
    told = {"lost": sorted(lost), "again, though it came back": too_many}
    return {what: addresses for what, addresses in told.items() if addresses}


def _wrong(soak: Soak, person: Person, steps: Counter[str]) -> object:
    """Why these mails are not those that this person was to get; None: they are."""
    if any(count > 1 for count in steps.values()):
        return {"twice": dict(steps)}
    if person.role in ("unknown", "bounces"):
        return dict(steps) or None
    if steps["first"] != 1:
        return {"first": steps["first"], "states": soak.states(person)}
    if person.role == "reads" and steps["second"] != 1:
        return {"second": steps["second"], "states": soak.states(person)}
    if person.role != "reads" and steps["second"]:
        return {"second, though stopped": person.role, "states": soak.states(person)}
    return None


def _step(kept: bytes) -> str:
    return "second" if str(message_from_bytes(kept)["Subject"]).startswith("Re: ") else "first"


def _id(kept: bytes) -> str:
    return str(message_from_bytes(kept)["Message-ID"])


def _own(kept: bytes) -> bytes:
    """Without the lines that servers put above."""
    return kept[kept.index(b"Date: ") :]
