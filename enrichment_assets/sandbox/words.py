"""The words that people and companies are made of. Small on purpose; every organisation and person is invented."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


AS_OF_YEAR = 2026
"""The year in which the simulated world stands still: answers must not change with the calendar."""

FIRST_NAMES = _words(
    """
    Aisha Amelia Anders Anna Antonio Aylin Beatriz Ben Bianca Carlos Carmen Chen Chloe Daniel David Diego Elena
    Emeka Emma Erik Esther Fatima Felix Fiona Gabriel George Grace Hana Hannah Henry Ines Isaac Ivan Jakub James
    Jana Jin Joao Jonas Julia Kai Karin Kofi Lars Laura Leila Liam Lina Lucas Maja Marco Maria Mateo Mei Mia Michael
    Mikael Miriam Nadia Naomi Nina Noah Nora Olga Oliver Omar Paula Pedro Petra Priya Rafael Raj Rebecca Robert Rosa
    Ruth Samuel Sara Sean Sofia Stefan Susan Tara Thomas Tomas Uma Victor Vera William Xin Yara Yuki Yusuf Zara Zoe
    """
)
LAST_NAMES = _words(
    """
    Adeyemi Andersson Baker Bauer Becker Bergstrom Brennan Carter Castillo Chandra Chen Costa Cruz Dahl Diaz Dubois
    Eriksen Evans Fischer Fontaine Garcia Gomez Gupta Haddad Hansen Hayes Hoffmann Hughes Ibrahim Ito Jansen
    Johansson Kaplan Keller Kim Kowalski Kruger Lambert Larsen Lee Lindqvist Lopez Mensah Meyer Mitchell Moreau
    Morgan Mueller Murphy Nakamura Nguyen Novak Obi Okafor Olsen Ortiz Park Patel Pereira Perez Petrov Quinn Rao
    Reyes Ricci Romero Rossi Russell Santos Sato Schmidt Schneider Sharma Silva Singh Svensson Takahashi Tanaka
    Torres Vargas Vasquez Vogel Wagner Walker Walsh Wang Weber Weiss Wright Yamamoto Yilmaz Young Zhang Zimmermann
    """
)
COMPANY_STEMS = _words(
    """
    Alder Amber Apex Arbor Argent Atlas Aurora Beacon Birch Bright Canyon Cedar Cinder Clear Cobalt Copper Coral
    Crest Delta Driftwood Eagle Echo Elm Ember Falcon Fern Fjord Forge Foxglove Garnet Glacier Granite Harbor Hazel
    Heron Highland Indigo Iron Juniper Keystone Lantern Lark Linden Lumen Maple Marble Meridian Mesa Mistral North
    Oak Onyx Orchard Osprey Pine Pioneer Prairie Quarry Quartz Raven Redwood Ridge River Rowan Sable Sage Sierra
    Silver Slate Solstice Sparrow Spruce Sterling Summit Tidal Timber Trellis Umber Vale Vantage Verdant Willow
    Zephyr
    """
)
COMPANY_KINDS = _words(
    """
    Analytics Logistics Robotics Software Partners Health Capital Foods Energy Media Systems Labs Consulting
    Security Manufacturing Networks Insurance Motors Textiles Interiors Outdoor Learning Biotech Construction
    """
)
LEGAL_FORMS = ("", "", "", "", " Inc.", " LLC", " Ltd", " Group", " GmbH")

INDUSTRIES = (
    ("information technology & services", "it services", "cloud", "managed services", "integration"),
    ("computer software", "saas", "b2b", "platform", "automation"),
    ("marketing & advertising", "branding", "demand generation", "content", "campaigns"),
    ("logistics & supply chain", "freight", "warehousing", "last mile", "fleet"),
    ("hospital & health care", "clinics", "patient care", "telehealth", "diagnostics"),
    ("financial services", "lending", "payments", "wealth management", "compliance"),
    ("construction", "general contracting", "design build", "renovation", "commercial"),
    ("mechanical or industrial engineering", "automation", "tooling", "precision parts", "assembly"),
    ("food & beverages", "organic", "distribution", "private label", "ingredients"),
    ("renewables & environment", "solar", "storage", "grid", "carbon accounting"),
    ("education management", "e-learning", "curriculum", "training", "assessment"),
    ("insurance", "underwriting", "claims", "brokerage", "risk"),
    ("hospitality", "resorts", "golf", "events", "restaurants"),
    ("biotechnology", "assays", "discovery", "genomics", "contract research"),
)
DEPARTMENTS = (
    ("engineering", "Software Engineer", "Engineering Manager", "Director of Engineering", "VP Engineering"),
    ("sales", "Account Executive", "Sales Manager", "Director of Sales", "VP Sales"),
    ("marketing", "Marketing Specialist", "Marketing Manager", "Director of Marketing", "VP Marketing"),
    ("finance", "Financial Analyst", "Finance Manager", "Director of Finance", "VP Finance"),
    ("operations", "Operations Analyst", "Operations Manager", "Director of Operations", "VP Operations"),
    ("human_resources", "Recruiter", "HR Manager", "Director of People", "VP People"),
    ("product_management", "Product Analyst", "Product Manager", "Director of Product", "VP Product"),
    ("support", "Support Specialist", "Customer Success Manager", "Director of Support", "VP Customer Success"),
)
"""Department, then titles by seniority: entry, manager, director, vp."""

SENIORITIES = ("entry", "manager", "director", "vp")
FOUNDER_TITLES = ("Founder", "Co-Founder & CEO", "Owner", "Managing Partner", "Chief Executive Officer")

CITIES = (
    ("Austin", "Texas", "United States", "78701", "512"),
    ("Boston", "Massachusetts", "United States", "02108", "617"),
    ("Chicago", "Illinois", "United States", "60601", "312"),
    ("Denver", "Colorado", "United States", "80202", "303"),
    ("Atlanta", "Georgia", "United States", "30303", "404"),
    ("Seattle", "Washington", "United States", "98101", "206"),
    ("Portland", "Oregon", "United States", "97204", "503"),
    ("Richmond", "Virginia", "United States", "23219", "804"),
    ("Charleston", "West Virginia", "United States", "25301", "304"),
    ("San Diego", "California", "United States", "92101", "619"),
    ("Minneapolis", "Minnesota", "United States", "55401", "612"),
    ("Toronto", "Ontario", "Canada", "M5H 2N2", "416"),
    ("Vancouver", "British Columbia", "Canada", "V6B 1A1", "604"),
)
"""City, state, country, postal code, area code (all in the North American numbering plan: 555-01xx is fictional)."""

STREETS = ("Main Street", "Oak Avenue", "Market Street", "Harbor Drive", "Mill Road", "College Street", "Union Square")
TECHNOLOGIES = (
    "Amazon AWS",
    "Cloudflare DNS",
    "Google Analytics",
    "Google Tag Manager",
    "HubSpot",
    "Mailchimp",
    "Microsoft Office 365",
    "Nginx",
    "PostgreSQL",
    "React",
    "Salesforce",
    "Shopify",
    "Slack",
    "Stripe",
    "WordPress.org",
    "Zendesk",
)
UNIVERSITIES = (
    "Lakeside University",
    "Northfield College",
    "Harbor State University",
    "Institute of Technology at Ridgemont",
    "Saint Alban's College",
    "University of Westmark",
)
DEGREES = ("Bachelor of Science", "Bachelor of Arts", "Master of Science", "MBA", "B.A.", "Ph.D.")
MAJORS = ("Economics", "Computer Science", "Mechanical Engineering", "Marketing", "Finance", "History", "Psychology")
FUNDING_ROUNDS = ("Seed", "Series A", "Series B", "Series C", "Debt Financing")
INVESTORS = ("Ridge Ventures", "Lantern Capital", "Harbor Growth", "Summit Seed Fund", "Meridian Equity")
