"""Names of the fields in which a result has its addresses and numbers, and of what is said of them.

How they are read is in `domain.contact_records`; whoever asks for names alone imports next to nothing.
"""

from __future__ import annotations

EMAIL_RECORDS, PHONE_RECORDS = "email_records", "phone_records"
"""Fields of a result that hold its records."""

OF_ALL_SOURCES = ("email_sources_disagree", "email_finders", "email_is_confirmed")
ABOUT_EMAIL = ("email_verdict", "email_confidence", *OF_ALL_SOURCES)
"""What is known of the address that counts; `OF_ALL_SOURCES`: of everybody who gave or judged it together."""


def is_record_field(name: str) -> bool:
    """Whether a field holds records, which no `provides` may name."""
    return name in (EMAIL_RECORDS, PHONE_RECORDS)
