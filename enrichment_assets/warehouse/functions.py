"""Functions of the domain that the SQL models call: what a company is compared by is computed in one place.

A mirror in SQL would be a second rule: DuckDB knows neither compatibility forms nor case folding, and no public suffix
list. Call them on distinct values: each costs some microseconds a value, beside nothing for a comparison (ADR 0018).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb

from enrichment_assets.domain.company_names import company_name_key


def company_host(addresses: str | None, name: str | None) -> str | None:
    """The host of the first address that can be the own site of a company of this name."""
    from enrichment_assets.domain.companies import own_host  # its lists take 0.1 s to load, and not every build asks

    return own_host(addresses, name)


def linkedin_company_slug(text: str | None) -> str | None:
    """What names a company's page at LinkedIn (`acme-inc`), out of any spelling of its address."""
    from enrichment_assets.domain.linkedin import linkedin_company, linkedin_slug

    return linkedin_slug(linkedin_company(text))


def person_mailbox(address: str | None) -> str | None:
    """The mailbox by which a person is known; null where the address is none, or an office's."""
    from enrichment_assets.domain.emails import read_emails
    from enrichment_assets.domain.mail_aliases import mailbox
    from enrichment_assets.domain.role_mailboxes import is_role_mailbox

    found = read_emails(address).addresses if address else ()
    box = mailbox(found[0]) if found else None
    return None if box is None or is_role_mailbox(box) else box


def linkedin_person_page(text: str | None) -> str | None:
    """A person's page at LinkedIn in its one form, out of any spelling of its address."""
    from enrichment_assets.domain.linkedin import linkedin_person

    return linkedin_person(text)


def person_name_key(first: str | None, last: str | None, full: str | None) -> str | None:
    """First and last name as they are compared, with `|` between; null where there is no name."""
    from enrichment_assets.domain import name_agreement

    return name_agreement.person_name_key(first, last, full)


def names_differ(one: str | None, other: str | None) -> str | None:
    """`yes` where two keys of `person_name_key` are two people's names, else null."""
    from enrichment_assets.domain import name_agreement

    return "yes" if one is not None and other is not None and name_agreement.names_differ(one, other) else None


NULLS_TOO: Any = "special"
"""The functions see nulls, and answer null themselves; DuckDB's stubs want an enumeration that it does not export."""

SQL_FUNCTIONS: dict[str, tuple[Callable[..., str | None], int]] = {
    "company_name_key": (company_name_key, 1),
    "company_host": (company_host, 2),
    "linkedin_company_slug": (linkedin_company_slug, 1),
    "person_mailbox": (person_mailbox, 1),
    "linkedin_person_page": (linkedin_person_page, 1),
    "person_name_key": (person_name_key, 3),
    "names_differ": (names_differ, 2),
}
"""Name in SQL -> the function, and how many texts it takes. All give a text or null, and take null."""


def add_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `SQL_FUNCTIONS` known to a connection: less than 1 ms, the first time 70 (DuckDB imports numpy for it)."""
    for name, (function, arguments) in SQL_FUNCTIONS.items():
        texts = [duckdb.sqltypes.VARCHAR] * arguments
        connection.create_function(name, function, [*texts], duckdb.sqltypes.VARCHAR, null_handling=NULLS_TOO)
