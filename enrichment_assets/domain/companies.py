"""What "the same company" means: a comparable form of names, and the company key of a row (docs/companies.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from enrichment_assets.domain.company_names import company_name_key
from enrichment_assets.domain.domains import addresses_of, is_free_mail
from enrichment_assets.domain.linkedin import linkedin_company, linkedin_slug

Identity = Mapping[str, str | None]


def normalise_linkedin_company(text: str | None) -> str | None:
    """`linkedin.com/company/<slug>` out of any spelling of the URL, for comparing; None when it is no company page.

    Companies, schools and showcases share one set of slugs: LinkedIn sends `/company/mit` on to `/school/mit`.
    """
    slug = linkedin_slug(linkedin_company(text))
    return f"linkedin.com/company/{slug}" if slug else None


def company_host(identity: Identity) -> str | None:
    """The full host of the company's own site: from `company_domain`, else `company_website`; never a platform's.

    Without `www.`, and never cut to the registrable domain: 536 members of Congress have sites below two of them.
    A page on a platform (`facebook.com/acme`) is no site of the company's, and then the platform's bare host in another
    cell is none either: somebody cut it off the page. Of a mail provider's host only the provider itself is owner.
    """
    cells = (identity.get("company_domain"), identity.get("company_website"))
    return own_host(" ".join(cell for cell in cells if cell), identity.get("company_name"))


def domain_of_row(cells: Identity) -> str | None:
    """The company's host as the workflow `normalise-domain` reads it: of its site, else of the e-mail address."""
    return company_host(cells) or own_host(cells.get("email"), cells.get("company_name"))


@lru_cache(maxsize=65_536)
def own_host(text: str | None, company_name: str | None) -> str | None:
    """The host of the first address in a text that can be the own site of a company of this name."""
    addresses = addresses_of(text)
    pages = {page.host for address in addresses if (page := address.platform) is not None}
    for address in addresses:
        on_platform = address.platform is not None or any(address.is_at(host) for host in pages)
        if not on_platform and (not is_free_mail(address.host) or _is_provider(address.host, company_name)):
            return address.host
    return None


def _is_provider(host: str, company_name: str | None) -> bool:
    """True when the company is the mail provider itself: `Yahoo! Inc.` at yahoo.com, `Seznam.cz, a.s.` at seznam.cz."""
    name = (company_name_key(company_name) or "").replace(" ", "")
    return name in {host.partition(".")[0], host.replace(".", "")}


def company_key(identity: Identity, rules: Sequence[str]) -> str | None:
    """`<rule>:<normalised value>` by the first rule that this row has the values for; None: it names no company.

    Raises `KeyError` for a rule that does not exist.
    """
    for rule in rules:
        if value := _RULES[rule](identity):
            return f"{rule}:{value}"
    return None


def _account_id(identity: Identity) -> str | None:
    return (identity.get("apollo_account_id") or "").strip() or None


def _name_and_host(identity: Identity) -> str | None:
    name, host = company_name_key(identity.get("company_name")), company_host(identity)
    return f"{name}|{host}" if name and host else None


def _name_and_place(identity: Identity) -> str | None:
    """Places that share a name are many: there is a Pine Hills golf club in a dozen states."""
    from enrichment_assets.domain.places import state_code  # the lists of states are heavy, and rarely asked for

    name, state, country = (
        company_name_key(identity.get("company_name")),
        identity.get("state"),
        identity.get("country"),
    )
    city, place = _folded(identity.get("city")), state_code(state, country) or _folded(f"{state or ''} {country or ''}")
    return f"{name}|{city}|{place}" if name and (state or city) else None


def _folded(text: str | None) -> str:
    return " ".join((text or "").casefold().split())


_RULES: dict[str, Callable[[Identity], str | None]] = {
    "apollo_account_id": _account_id,
    "company_linkedin_url": lambda identity: normalise_linkedin_company(identity.get("company_linkedin_url")),
    "name_and_host": _name_and_host,
    "name_and_place": _name_and_place,
    "company_name": lambda identity: company_name_key(identity.get("company_name")),
    "company_host": company_host,
}
COMPANY_RULES = tuple(_RULES)
"""The rules that a pipeline's `company_identity` may name, the surest first."""
