"""A job history of each shape, and its rows: organisation, its id, title, start, end, is_current."""

from __future__ import annotations

from typing import Any

SHAPES: dict[str, tuple[Any, list[tuple[Any, ...]]]] = {
    "apollo": (
        {
            "person": {
                "employment_history": [
                    {
                        "_id": "1",
                        "organization_name": "Acme",
                        "organization_id": "a1",
                        "title": "CTO",
                        "start_date": "2020-01-01",
                        "end_date": None,
                        "current": True,
                    }
                ]
            }
        },
        [("Acme", "a1", "CTO", "2020-01-01", None, True)],
    ),
    "people data labs": (
        {
            "data": {
                "experience": [
                    {
                        "company": {"name": "globex", "id": "g"},
                        "title": {"name": "ceo"},
                        "start_date": "2018",
                        "end_date": None,
                        "is_primary": True,
                    },
                    {
                        "company": None,
                        "title": {"name": "clerk"},
                        "start_date": None,
                        "end_date": "2015-04",
                        "is_primary": False,
                    },
                ]
            }
        },
        [("globex", "g", "ceo", "2018", None, True), (None, None, "clerk", None, "2015-04", False)],
    ),
    "coresignal": (
        {
            "experience": [
                {
                    "active_experience": 1,
                    "position_title": "CTO",
                    "company_name": "Acme",
                    "company_id": 5,
                    "date_from": "01/2016",
                    "date_from_year": 2016,
                    "date_from_month": 1,
                    "date_to": None,
                },
                {
                    "active_experience": 0,
                    "position_title": "Dev",
                    "company_name": "Bolt",
                    "date_from": None,
                    "date_from_year": 2010,
                    "date_from_month": 5,
                    "date_to_year": 2012,
                    "date_to_month": None,
                },
            ]
        },
        [("Acme", "5", "CTO", "01/2016", None, True), ("Bolt", None, "Dev", "2010-05", "2012", False)],
    ),
    "bright data": (
        {
            "experience": [
                {
                    "title": "Acme",
                    "company": "Acme",
                    "company_id": "acme",
                    "positions": [
                        {"title": "Lead", "subtitle": "Acme", "start_date": "Jan 2022", "end_date": "Present"},
                        {"title": "Intern", "start_date": "Jan 2021", "end_date": "Dec 2021"},
                    ],
                },
                {"title": "Clerk", "company": "Bolt", "start_date": "2015", "end_date": "2016"},
            ]
        },
        [
            ("Acme", "acme", "Lead", "Jan 2022", "Present", True),
            ("Acme", "acme", "Intern", "Jan 2021", "Dec 2021", False),
            ("Bolt", None, "Clerk", "2015", "2016", False),
        ],
    ),
    "fullenrich v2": (
        {
            "profile": {
                "employment": {
                    "current": {"title": "CTO", "company": {"name": "Acme"}},
                    "all": [
                        {
                            "title": "CTO",
                            "company": {"id": "u-1", "name": "Acme", "domain": "acme.example"},
                            "start_at": "2019-03-01T00:00:00Z",
                            "end_at": None,
                            "is_current": True,
                        }
                    ],
                }
            }
        },
        [("Acme", "u-1", "CTO", "2019-03-01T00:00:00Z", None, True)],
    ),
    "fullenrich v2, current only": (
        {"data": [{"profile": {"employment": {"current": {"title": "CTO", "company": {"name": "Acme"}}, "all": []}}}]},
        [("Acme", None, "CTO", None, None, None)],
    ),
    "fullenrich v1": (
        {
            "contact": {
                "profile": {
                    "employment": {
                        "all": [
                            {
                                "title": "CTO",
                                "company": {"name": "Acme"},
                                "start_at": {"month": 3, "year": 2019},
                                "end_at": {"month": None, "year": 2021},
                            }
                        ]
                    }
                }
            }
        },
        [("Acme", None, "CTO", "2019-03", "2021", False)],
    ),
    "clay": (
        {
            "experience": [
                {
                    "url": "https://x.example",
                    "title": "PM",
                    "org_id": 12,
                    "company": "Acme",
                    "company_domain": "acme.example",
                    "start_date": "2020-01-01",
                    "end_date": None,
                    "is_current": True,
                }
            ],
            "latest_experience": {"title": "PM", "company": "Acme"},
        },
        [("Acme", "12", "PM", "2020-01-01", None, True)],
    ),
    "proxycurl": (
        {
            "experiences": [
                {"starts_at": {"day": 1, "month": 3, "year": 2015}, "ends_at": None, "company": "Acme", "title": "VP"},
                {
                    "starts_at": {"day": None, "month": None, "year": 2010},
                    "ends_at": {"day": 31, "month": 12, "year": 2014},
                    "company": "Bolt",
                    "title": "Head",
                },
            ]
        },
        [("Acme", None, "VP", "2015-03-01", None, True), ("Bolt", None, "Head", "2010", "2014-12-31", False)],
    ),
    "harvestapi": (
        {
            "experience": [
                {
                    "position": "Engineer",
                    "companyName": "Acme",
                    "companyId": "99",
                    "startDate": {"month": "Jan", "year": 2020, "text": "Jan 2020"},
                    "endDate": {"text": "Present"},
                }
            ]
        },
        [("Acme", "99", "Engineer", "Jan 2020", "Present", True)],
    ),
    "rapidapi": (
        {
            "fullPositions": [
                {
                    "companyId": 7,
                    "companyName": "Acme",
                    "title": "CTO",
                    "start": {"year": 2020, "month": 5, "day": 0},
                    "end": {"year": 0, "month": 0, "day": 0},
                }
            ]
        },
        [("Acme", "7", "CTO", "2020-05", None, None)],
    ),
    "scrapin": (
        {
            "person": {
                "positions": {
                    "positionsCount": 1,
                    "positionHistory": [
                        {
                            "title": "CTO",
                            "companyName": "Acme",
                            "startEndDate": {"start": {"month": 5, "year": 2020}, "end": None},
                        }
                    ],
                }
            }
        },
        [("Acme", None, "CTO", "2020-05", None, None)],
    ),
    "a scraper's captions": (
        {
            "experiences": [
                {"title": "Dev", "subtitle": "Acme · Full-time", "caption": "Jan 2020 - Present · 3 yrs"},
                {
                    "title": "Bolt",
                    "subtitle": "5 yrs",
                    "subComponents": [
                        {"title": "Lead", "caption": "Jan 2018 - Dec 2019 · 2 yrs"},
                        {"title": "Dev", "caption": "2015 - 2018"},
                    ],
                },
            ]
        },
        [
            ("Acme", None, "Dev", "Jan 2020", "Present", True),
            ("Bolt", None, "Lead", "Jan 2018", "Dec 2019", False),
            ("Bolt", None, "Dev", "2015", "2018", False),
        ],
    ),
    "leadmagic": (
        {"work_experience": [{"position_title": "CTO", "company_name": "Acme", "employment_period": "2015-2019"}]},
        [("Acme", None, "CTO", "2015", "2019", False)],
    ),
    "prospeo": (
        {
            "person": {
                "job_history": [
                    {
                        "title": "CTO",
                        "company_name": "Acme",
                        "current": True,
                        "start_year": 2022,
                        "start_month": 1,
                        "end_year": None,
                        "end_month": None,
                    }
                ]
            }
        },
        [("Acme", None, "CTO", "2022-01", None, True)],
    ),
    "crustdata": (
        {
            "current_employers": [
                {"employer_name": "Acme", "employee_title": "CTO", "start_date": "2020-01-01T00:00:00"}
            ],
            "past_employers": [{"employer_name": "Bolt", "employee_title": "Dev", "end_date": "2019-12-01T00:00:00"}],
        },
        [
            ("Acme", None, "CTO", "2020-01-01T00:00:00", None, None),
            ("Bolt", None, "Dev", None, "2019-12-01T00:00:00", False),
        ],
    ),
    "a list with one profile": (
        [{"experience": [{"title": "CTO", "company": "Acme"}]}],
        [("Acme", None, "CTO", None, None, None)],
    ),
    "a list with the profiles of several people": (
        [{"experience": [{"title": "CTO", "company": "Acme"}]}, {"experience": [{"title": "CEO", "company": "Acme"}]}],
        [],
    ),
    "an agent's own words": (
        {"output": {"experience": [{"employer": "Acme", "role": "CTO", "from": "March 2015", "until": "heute"}]}},
        [("Acme", None, "CTO", "March 2015", "heute", True)],
    ),
}
