"""The seven industries of financial services: how firms are called, what they do, who works there."""

from __future__ import annotations

from typing import NamedTuple


class Industry(NamedTuple):
    """One industry.

    Attributes:
        slug: Its name in addresses and data.
        label: Its name as firms write it.
        tag: The word in hosts.
        asked: What a search query says (a regular expression, lower case).
        kinds: How a firm's name ends.
        services: What firms offer.
        clients: Whom they serve.
        leaders: Titles of those who own it.
        titles: Titles of the others with seniority and department.
    """

    slug: str
    label: str
    tag: str
    asked: str
    kinds: tuple[str, ...]
    services: tuple[str, ...]
    clients: tuple[str, ...]
    leaders: tuple[str, ...]
    titles: tuple[tuple[str, str, str], ...]


INDUSTRIES: tuple[Industry, ...] = (
    Industry(
        "wealth-management",
        "wealth management",
        "wealth",
        r"wealth|asset manage|investment manage",
        ("Wealth Management", "Wealth Partners", "Private Wealth", "Wealth Advisors"),
        ("portfolio management", "retirement income planning", "estate planning", "tax-aware investing"),
        ("families", "business owners", "retired executives", "physicians"),
        ("Managing Partner", "Founder & CEO", "President", "Founding Partner"),
        (
            ("Senior Wealth Advisor", "manager", "finance"),
            ("Wealth Advisor", "entry", "finance"),
            ("Director of Client Services", "director", "support"),
            ("Chief Compliance Officer", "vp", "operations"),
            ("Portfolio Manager", "manager", "finance"),
            ("Client Service Associate", "entry", "support"),
        ),
    ),
    Industry(
        "accounting",
        "accounting",
        "cpa",
        r"accounting|accountant|\bcpas?\b|bookkeep|tax prepar",
        ("CPAs", "& Associates, CPA", "Accounting Group", "Tax & Accounting"),
        ("tax preparation", "audit and assurance", "bookkeeping", "payroll"),
        ("small businesses", "nonprofits", "contractors", "restaurants"),
        ("Managing Partner", "Founder", "Principal", "Owner"),
        (
            ("Tax Partner", "vp", "finance"),
            ("Audit Manager", "manager", "finance"),
            ("Senior Accountant", "entry", "finance"),
            ("Payroll Manager", "manager", "finance"),
            ("Bookkeeper", "entry", "finance"),
            ("Office Manager", "manager", "operations"),
        ),
    ),
    Industry(
        "equipment-financing",
        "equipment financing",
        "leasing",
        r"equipment (?:financ|leas|loan)|leasing compan",
        ("Equipment Finance", "Leasing", "Equipment Capital", "Commercial Leasing"),
        ("equipment leases", "sale and leaseback", "vendor programs", "working capital loans"),
        ("trucking companies", "manufacturers", "medical practices", "contractors"),
        ("President", "Chief Executive Officer", "Founder & President", "Managing Director"),
        (
            ("VP of Sales", "vp", "sales"),
            ("Credit Manager", "manager", "finance"),
            ("Account Manager", "entry", "sales"),
            ("Director of Operations", "director", "operations"),
            ("Business Development Manager", "manager", "sales"),
            ("Funding Coordinator", "entry", "operations"),
        ),
    ),
    Industry(
        "insurance-agencies",
        "insurance",
        "insurance",
        r"insurance",
        ("Insurance Agency", "Insurance Group", "Insurance Services", "Insurance Brokers"),
        ("home and auto policies", "commercial liability", "employee benefits", "life insurance"),
        ("homeowners", "restaurants", "contractors", "growing companies"),
        ("Agency Principal", "President", "Agency Owner", "Managing Principal"),
        (
            ("Commercial Lines Manager", "manager", "sales"),
            ("Personal Lines Agent", "entry", "sales"),
            ("Claims Manager", "manager", "support"),
            ("Benefits Advisor", "entry", "sales"),
            ("Director of Operations", "director", "operations"),
            ("Account Executive", "entry", "sales"),
        ),
    ),
    Industry(
        "financial-advisors",
        "financial advisory",
        "advisors",
        r"financial (?:advis|plann)|\badvisors?\b|\badvisers?\b",
        ("Financial Advisors", "Financial Planning", "Advisory Group", "Financial Group"),
        ("financial plans", "college savings", "retirement planning", "401(k) advice"),
        ("young families", "teachers", "engineers", "widows"),
        ("Founder & Lead Advisor", "Managing Partner", "Principal", "President"),
        (
            ("Lead Advisor", "manager", "finance"),
            ("Financial Planner", "entry", "finance"),
            ("Associate Advisor", "entry", "finance"),
            ("Director of Financial Planning", "director", "finance"),
            ("Operations Manager", "manager", "operations"),
            ("Client Relationship Manager", "manager", "support"),
        ),
    ),
    Industry(
        "real-estate",
        "real estate",
        "realty",
        r"real estate|realt(?:or|y)|propert(?:y|ies)|brokerage",
        ("Realty", "Real Estate Group", "Properties", "Commercial Real Estate"),
        ("residential sales", "commercial leasing", "property management", "relocation"),
        ("first-time buyers", "investors", "landlords", "retailers"),
        ("Broker-Owner", "Managing Broker", "President", "Principal Broker"),
        (
            ("Associate Broker", "manager", "sales"),
            ("Realtor", "entry", "sales"),
            ("Director of Property Management", "director", "operations"),
            ("Marketing Manager", "manager", "marketing"),
            ("Leasing Agent", "entry", "sales"),
            ("Transaction Coordinator", "entry", "operations"),
        ),
    ),
    Industry(
        "venture-capital",
        "venture capital",
        "ventures",
        r"venture|\bvcs?\b|seed fund|early[- ]stage",
        ("Ventures", "Venture Partners", "Capital Partners", "Seed Fund"),
        ("seed rounds", "Series A rounds", "follow-on capital", "founder coaching"),
        ("software founders", "biotech founders", "climate startups", "robotics startups"),
        ("Managing Partner", "General Partner", "Founding Partner", "Managing Director"),
        (
            ("Partner", "vp", "finance"),
            ("Principal", "director", "finance"),
            ("Investment Associate", "entry", "finance"),
            ("Venture Partner", "vp", "finance"),
            ("Head of Platform", "director", "operations"),
            ("Chief Financial Officer", "vp", "finance"),
        ),
    ),
)

BY_SLUG = {industry.slug: industry for industry in INDUSTRIES}
BY_TAG = {industry.tag: industry for industry in INDUSTRIES}
