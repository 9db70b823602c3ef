"""The workflow `normalise-domain`: whose host it is, and which cell said so."""

from __future__ import annotations

import pytest

from enrichment_assets.engine.run.local import OPERATIONS


@pytest.mark.parametrize(
    ("cells", "host", "source"),
    [
        ({"company_website": "https//www.acme.com/about"}, "acme.com", "company_website"),
        ({"company_domain": "n.a", "company_website": "acme.com; beta.com"}, "acme.com", "company_website"),
        ({"company_website": "https://github.com/acme", "email": "jo@acme.com"}, "acme.com", "email"),
        ({"company_website": "https://play.google.com/store/apps/details?id=x"}, None, None),
        ({"company_domain": "github.com", "company_website": "github.com/acme"}, None, None),
        ({"company_website": "https://www.yelp.com"}, "yelp.com", "company_website"),
        ({"email": "jo@eventbrite.com"}, "eventbrite.com", "email"),
        ({"email": "jo@yahoo.com", "company_name": "Acme"}, None, None),
        ({"email": "jo@yahoo.com", "company_name": "Yahoo Inc."}, "yahoo.com", "email"),
        ({"company_domain": "co.uk", "email": "jo@n.a"}, None, None),
        ({"company_domain": 7}, None, None),
    ],
)
def test_the_companys_host_is_never_a_platforms_or_a_mail_providers(
    cells: dict[str, object], host: str | None, source: str | None
) -> None:
    found = OPERATIONS["normalise_domain"](cells)
    assert (found["company_domain"], found["source"]) == (host, source)
