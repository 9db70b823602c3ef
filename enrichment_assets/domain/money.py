"""Amounts of money as people type them: exact decimals, never floats."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from enrichment_assets.domain.errors import ConfigurationError

PLACES = 6
"""Decimal places that the database keeps."""

LIMIT = Decimal(10) ** 12
"""Amounts are below this: the database keeps twelve digits before the point."""


def checked_amount(value: Decimal | str) -> Decimal:
    """The amount, exact. Raises `ConfigurationError` for what is no amount, negative, too large or too fine."""
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise ConfigurationError(f"{value!r} is no amount of money: write it like 12.50") from None
    if not amount.is_finite():
        raise ConfigurationError(f"{value} is no amount of money: write it like 12.50")
    if amount < 0:
        raise ConfigurationError(f"{value} is negative: an amount of money is zero or more")
    if amount >= LIMIT:
        raise ConfigurationError(f"{value} is too large: amounts are below {LIMIT:,}")
    if amount != round(amount, PLACES):
        raise ConfigurationError(f"{value} is too fine: amounts have at most {PLACES} decimal places")
    return amount
