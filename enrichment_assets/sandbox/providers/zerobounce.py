"""ZeroBounce: whether e-mail addresses can be written to, one at a time or a hundred.

zerobounce.net/docs (single and batch e-mail validator) and the vendor's Python client: the key is in the body (of one
address also in the address of the call), a form for one, JSON for many; `timeout` has to
be a text (a number is answered as a bad key), failures are HTTP 200 with `errors`, of which one about `"all"` is the
call's. Documented, and a trap: an address that is sent twice is billed twice. Not documented and therefore our choice:
verdicts come in another order than the addresses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from enrichment_assets.sandbox.exchange import Call, Charge, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.providers.base import SimulatedProvider, no_such_path

ONE = Decimal(1)
BULK_LIMIT = 100
_ONE = "/v2/validate"
_REFUSED = "Invalid API Key or your account ran out of credits"
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_VERDICTS = (
    ("valid", ""),
    ("valid", ""),
    ("valid", "role_based_accept_all"),
    ("catch-all", ""),
    ("invalid", "mailbox_not_found"),
    ("unknown", "greylisted"),
    ("do_not_mail", "disposable"),
)


class ZeroBounce(SimulatedProvider):
    """Everything below `/zerobounce/v2/...`."""

    name = "zerobounce"
    price = Decimal("0.008")
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "5/m"}

    def key(self, call: Call) -> str:
        """The `api_key` of the body, or of the address."""
        return str(call.fields().get("api_key") or "")

    def question(self, call: Call) -> Question:
        """One address, or the batch validator."""
        if call.path.rstrip("/") == _ONE:
            return _single(call)
        if call.method != "POST" or call.path.rstrip("/") != "/v2/validatebatch":
            raise no_such_path(call)
        body = call.json()
        batch, timeout = body.get("email_batch"), body.get("timeout")
        if timeout is not None and not (isinstance(timeout, str) and timeout.isdigit() and 10 <= int(timeout) <= 120):
            raise Refusal(_failure(_REFUSED))
        if not isinstance(batch, list) or not batch or not all(isinstance(one, dict) for one in batch):
            raise Refusal(_failure("email_batch is missing"))
        if len(batch) > BULK_LIMIT:
            raise Refusal(_failure(f"at most {BULK_LIMIT} addresses are allowed"))
        addresses = [str(one.get("email_address") or "") for one in batch]

        def work() -> Reply:
            good = [address for address in addresses if _ADDRESS.fullmatch(address)]
            verdicts = sorted((_verdict(call, address) for address in good), key=lambda one: str(one["address"])[::-1])
            charges = tuple(Charge(v["address"], ONE) for v in verdicts if v["status"] != "unknown")
            errors = [{"error": "Invalid email address", "email_address": a} for a in addresses if a not in good]
            return json_reply(200, {"email_batch": verdicts, "errors": errors}, charges=charges)

        return Question("validatebatch", "|".join(addresses), work)

    def unauthorised(self, call: Call) -> Reply:
        """200, and an error about all, or about the one."""
        return _error(_REFUSED) if call.path.rstrip("/") == _ONE else _failure(_REFUSED)

    def exhausted(self, call: Call) -> Reply:
        """The same text as for a bad key."""
        return self.unauthorised(call)


def _single(call: Call) -> Question:
    """Whether one address can be written to; one that is none is told so, and is billed like any other."""
    address = str(call.fields().get("email") or "").strip()
    if not address:
        raise Refusal(_error("Invalid email address"))

    def work() -> Reply:
        verdict = _verdict(call, address)
        if not _ADDRESS.fullmatch(address):
            verdict |= {"status": "invalid", "sub_status": "failed_syntax_check"}
        charges = () if verdict["status"] == "unknown" else (Charge(address, ONE),)
        return json_reply(200, verdict, charges=charges)

    return Question("validate", address.casefold(), work)


def _verdict(call: Call, address: str) -> dict[str, Any]:
    rng = call.population.rng("zerobounce", address)
    status, sub_status = ("unknown", "mail_server_did_not_respond") if call.misses(address) else rng.pick(_VERDICTS)
    account, _, domain = address.partition("@")
    return {
        "address": address,
        "status": status,
        "sub_status": sub_status,
        "account": account,
        "domain": domain,
        "did_you_mean": None,
        "domain_age_days": "9692",
        "free_email": False,
        "mx_found": "true",
        "mx_record": f"mx.{domain}",
        "smtp_provider": "g-suite",
        "firstname": None,
        "lastname": None,
        "gender": None,
        "country": None,
        "region": None,
        "city": None,
        "zipcode": None,
        "processed_at": "2026-03-28 12:30:18.990",
    }


def _error(message: str) -> Reply:
    return json_reply(200, {"error": message}, outcome="refused")


def _failure(message: str) -> Reply:
    return json_reply(
        200, {"email_batch": [], "errors": [{"error": message, "email_address": "all"}]}, outcome="refused"
    )
