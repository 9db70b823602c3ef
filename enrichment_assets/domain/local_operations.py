"""The operations of `local` workflows by name, and the members of the payload that each computes."""

from __future__ import annotations

from collections.abc import Mapping

PAYLOADS: Mapping[str, frozenset[str]] = {
    "normalise_name": frozenset({"first_name", "last_name", "full_name", "prefix", "suffix", "middle"}),
    "normalise_domain": frozenset({"company_domain", "company_registrable_domain", "source"}),
    "normalise_contact": frozenset({"email", "phone"}),
    "gather_facts": frozenset({"facts"}),
    "find_linkedin_profile": frozenset({"linkedin_url", "matched", "reason", "namesakes"}),
    "choose_companies": frozenset({"companies", "kept", "dropped"}),
    "find_staff_page": frozenset({"company_staff_page_url"}),
    "choose_listed_people": frozenset({"prospects", "kept", "dropped"}),
    "choose_prospects": frozenset({"prospects", "kept", "dropped"}),
    "normalise_place": frozenset({"state_code", "state_name", "country_code"}),
    "choose_page": frozenset({"listing_url", "host", "reason", "own_site"}),
    "read_career": frozenset({"tenure", "since", "previous"}),
    "choose_staff": frozenset({"staff", "kept", "dropped"}),
    "compare_with_known": frozenset({"standing", "is_active", "last_verified", "changes"}),
    "choose_replacement": frozenset({"replacement", "found"}),
}
"""Operation -> what `provides` of such a workflow can read; `engine.run.local` computes it."""
