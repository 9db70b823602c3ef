"""What the sandbox billed: per provider, key and operation, and per subject so that a double charge shows.

A key is shown by its first three characters and a fingerprint: somebody will point a real key at a sandbox one day.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Any

from enrichment_assets.sandbox.exchange import FREE, Reply

KEPT_IDEMPOTENCY_KEYS = 1_000_000


def fingerprint(key: str) -> str:
    """How a key is shown: enough to tell keys apart, too little to use one."""
    return f"{key[:3]}…{sha256(key.encode()).hexdigest()[:8]}" if key else "(none)"


@dataclass(slots=True)
class Account:
    """Counts of one provider, key and operation. `outcomes` counts answers by what happened to the call."""

    calls: int = 0
    charged: int = 0
    units: Decimal = FREE
    outcomes: dict[str, int] = field(default_factory=lambda: defaultdict(int))


class Billing:
    """The counters of one sandbox."""

    def __init__(self, recent: int) -> None:
        self.accounts: dict[tuple[str, str, str], Account] = defaultdict(Account)
        self.subjects: dict[tuple[str, str, str, str], int] = defaultdict(int)
        self.spent: dict[tuple[str, str], Decimal] = defaultdict(lambda: FREE)
        self.charges_by_idempotency_key: dict[str, int] = defaultdict(int)
        self.recent: deque[dict[str, Any]] = deque(maxlen=recent)
        self._answers: OrderedDict[tuple[str, str, str], tuple[str, Reply]] = OrderedDict()

    def count(self, provider: str, key: str, operation: str, outcome: str) -> None:
        """One call came and ended this way; charges are counted by `charge`."""
        account = self.accounts[provider, key, operation]
        account.calls += 1
        account.outcomes[outcome] += 1

    def charge(self, provider: str, key: str, operation: str, reply: Reply, idempotency_key: str | None) -> None:
        """Bill what the reply says, once per subject in it."""
        account = self.accounts[provider, key, operation]
        for charge in reply.charges:
            if not charge.units:
                continue
            account.charged += 1
            account.units += charge.units
            self.subjects[provider, key, operation, charge.subject] += 1
            self.spent[provider, key] += charge.units
            if idempotency_key:
                self.charges_by_idempotency_key[idempotency_key] += 1

    def answered(self, provider: str, key: str, idempotency_key: str) -> tuple[str, Reply] | None:
        """The question and reply that were kept for an idempotency key of this API key, if any."""
        return self._answers.get((provider, key, idempotency_key))

    def keep(self, provider: str, key: str, idempotency_key: str, question: str, reply: Reply) -> None:
        """Remember a reply so that the same idempotency key gets it again, unbilled."""
        self._answers[provider, key, idempotency_key] = (question, reply)
        if len(self._answers) > KEPT_IDEMPOTENCY_KEYS:
            self._answers.popitem(last=False)

    def report(self, prices: dict[str, Decimal], *, subjects: bool) -> dict[str, Any]:
        """Everything as JSON; `prices` is money per unit and provider. Units and money are texts: exact decimals."""
        accounts = [
            {
                "provider": provider,
                "key": fingerprint(key),
                "operation": operation,
                "calls": account.calls,
                "charged": account.charged,
                "units": str(account.units),
                "money": str(account.units * prices.get(provider, FREE)),
                "outcomes": dict(account.outcomes),
            }
            for (provider, key, operation), account in sorted(self.accounts.items())
        ]
        repeated = [self._subject(name, count) for name, count in sorted(self.subjects.items()) if count > 1]
        report: dict[str, Any] = {
            "calls": sum(account.calls for account in self.accounts.values()),
            "charged": sum(account.charged for account in self.accounts.values()),
            "units": str(sum((account.units for account in self.accounts.values()), FREE)),
            "money": str(sum((units * prices.get(name, FREE) for (name, _), units in self.spent.items()), FREE)),
            "accounts": accounts,
            "double_charges": repeated,
            "double_charged_idempotency_keys": {k: n for k, n in self.charges_by_idempotency_key.items() if n > 1},
        }
        if subjects:
            report["subjects"] = [self._subject(name, count) for name, count in sorted(self.subjects.items())]
        return report

    @staticmethod
    def _subject(name: tuple[str, str, str, str], count: int) -> dict[str, Any]:
        provider, key, operation, subject = name
        return {
            "provider": provider,
            "key": fingerprint(key),
            "operation": operation,
            "subject": subject,
            "charges": count,
        }
