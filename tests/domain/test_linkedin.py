"""LinkedIn addresses: one form, which is its own form (known answers stand in tests/quality/data/linkedin)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from enrichment_assets.domain.linkedin import linkedin_company, linkedin_person, linkedin_slug

SLUGS = st.text(min_size=1, max_size=30)


@settings(max_examples=500, deadline=None)
@given(SLUGS, st.sampled_from(["in", "pub", "company", "school", "showcase", "sales/company", "de/in"]))
def test_addresses_never_raise_and_are_their_own_form(slug: str, kind: str) -> None:
    for form in (linkedin_person, linkedin_company):
        address = form(f"https://www.linkedin.com/{kind}/{slug}")
        assert address is None or (address.isascii() and form(address) == address)


def test_the_slug_is_read_back_as_people_write_it() -> None:
    assert linkedin_slug(linkedin_person("linkedin.com/in/José")) == "josé"
    assert linkedin_slug(linkedin_company("linkedin.com/company/AT%26T")) == "at&t"
    assert linkedin_slug(None) is None
