"""Amounts of money: exact decimals, never floats, as people type them and as they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from enrichment_assets.domain.errors import ConfigurationError

PLACES = 6
"""Decimal places that the database keeps."""

LIMIT = Decimal(10) ** 12
"""Amounts are below this: the database keeps twelve digits before the point."""

_LEAST_PLACES = 2


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency. `currency` is empty where amounts of several were added before anybody could tell."""

    amount: Decimal
    currency: str

    @property
    def places(self) -> int:
        """Decimal places that show all of the amount, at least two."""
        exponent = self.amount.normalize().as_tuple().exponent
        return max(_LEAST_PLACES, -exponent if isinstance(exponent, int) else 0)

    def shown(self, places: int | None = None) -> str:
        """`1.50 USD`; with `places`, so many of them, which lets a column of amounts stand point below point."""
        return f"{self.amount:.{self.places if places is None else places}f} {self.currency}".rstrip()

    def __str__(self) -> str:
        """`1.50 USD`."""
        return self.shown()


def sums(amounts: Iterable[Money]) -> list[Money]:
    """One sum per currency, in the order in which currencies appear; amounts of two currencies are never added."""
    totals: dict[str, Decimal] = {}
    for one in amounts:
        totals[one.currency] = totals.get(one.currency, Decimal(0)) + one.amount
    return [Money(total, currency) for currency, total in totals.items()]


def shown_sum(amounts: Iterable[Money]) -> str:
    """`1.50 USD + 3.00 EUR`: what amounts come to, currency by currency; `nothing` where they are all zero."""
    return " + ".join(str(total) for total in sums(amounts) if total.amount) or "nothing"


def of_currencies(amounts: Mapping[str, Decimal]) -> list[Money]:
    """A mapping of currency to amount as money."""
    return [Money(amount, currency) for currency, amount in amounts.items()]


def checked_amount(value: Decimal | str) -> Decimal:
    """The amount, exact. Raises `ConfigurationError` for what is no amount, negative, too large or too fine."""
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise ConfigurationError(
            f"{value!r} is no amount of money: write it like 12.50", code="money.not_an_amount"
        ) from None
    if not amount.is_finite():
        raise ConfigurationError(f"{value} is no amount of money: write it like 12.50", code="money.not_an_amount")
    if amount < 0:
        raise ConfigurationError(f"{value} is negative: an amount of money is zero or more", code="money.negative")
    if amount >= LIMIT:
        raise ConfigurationError(f"{value} is too large: amounts are below {LIMIT:,}", code="money.too_large")
    if amount != round(amount, PLACES):
        raise ConfigurationError(
            f"{value} is too fine: amounts have at most {PLACES} decimal places", code="money.too_fine"
        )
    return amount


def units_of(value: Any) -> Decimal | None:
    """A reported cost as a number; None: it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        units = Decimal(str(value))
    except InvalidOperation:
        return None
    return units if units.is_finite() and units >= 0 else None
