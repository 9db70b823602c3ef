"""Ten awkward lists, each as another product exports it, from the upload to the exported files: what is no value of its
field is asked of nobody, billed to nobody and delivered to nobody."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import python_calamine

from enrichment_assets.services.insight.queries import export_model
from enrichment_assets.warehouse import build_models, publish_batch_sources
from tests.engine_features.test_values_in_the_pipeline import echo
from tests.harness.batches import BatchHarness, company_step
from tests.harness.handles import hq_of

Lead = tuple[str | None, ...]
COLUMNS = ("email", "phone", "linkedin_url", "company_name", "company_website")

FILES: dict[str, tuple[list[dict[str, Any]], list[Lead]]] = {
    "Apollo: a verdict's column, an apostrophe, a mobile that is none": (
        [
            {"First Name": "Ann", "Last Name": "Alder", "Email": "n/a", "Email Status": "Unavailable",
             "Secondary Email": "ann@alder.example", "Mobile Phone": "'+1 202-555-0123", "Work Direct Phone": "",
             "Company": "Alder AG", "Website": "N.A.", "Person Linkedin Url": "http://www.linkedin.com/in/ann-alder/"},
            {"First Name": "Bo", "Last Name": "Birch", "Email": "email_not_unlocked@domain.com", "Email Status": "",
             "Secondary Email": "", "Mobile Phone": "000-000-0000", "Work Direct Phone": "'+44 20 7946 0123",
             "Company": "N/A", "Website": "https://birch.example",
             "Person Linkedin Url": "linkedin.com/in/unavailable"},
        ],
        [("ann@alder.example", "+12025550123", "https://www.linkedin.com/in/ann-alder", "Alder AG", None),
         (None, "+442079460123", None, None, "https://birch.example")],
    ),
    "HubSpot: two addresses in a cell, digits that a spreadsheet rounded": (
        [{"First Name": "Cy", "Last Name": "Cedar", "Email": "cy@cedar.example;cy@home.example",
          "Phone Number": "4.42079E+11", "Company Name": "Freelance", "Website URL": "cedar.example",
          "Country/Region": "United Kingdom"}],
        [("cy@cedar.example", None, None, None, "cedar.example")],
    ),
    "Salesforce: a number as its country writes it, a company of nobody": (
        [{"First Name": "Di", "Last Name": "Dogwood", "Email": "TBD", "Phone": "030 901820",
          "Account Name": "Self-employed", "Mailing Country": "Germany"}],
        [(None, "+4930901820", None, None, None)],
    ),
    "Pipedrive: home address where the work address is none": (
        [{"Person - Name": "Eli Elm", "Person - Email - Work": "-", "Person - Email - Home": "Eli@Elm.example",
          "Person - Phone - Work": "(202) 555-0111", "Organization - Name": "Elm Ltd"}],
        [("eli@elm.example", None, None, "Elm Ltd", None)],
    ),
    "Outlook: display names and a fax machine's habits": (
        [{"First Name": "Fay", "Last Name": "Fir", "E-mail Address": "Fay Fir <fay@fir.example>",
          "Business Phone": "+49 (0)30 901820",
          "Company": "Fir GmbH", "Web Page": "co.uk"}],
        [("fay@fir.example", "+4930901820", None, "Fir GmbH", None)],
    ),
    "Google Contacts: a link for a number": (
        [{"First Name": "Gil", "Last Name": "Gum", "E-mail 1 - Value": "mailto:gil@gum.example",
          "Phone 1 - Value": "tel:+1-202-555-0144",
          "Organization Name": "Stealth Startup"}],
        [("gil@gum.example", "+12025550144", None, None, None)],
    ),
    "Sales Navigator: nobody's name": (
        [{"Full Name": "LinkedIn Member", "Email": "No email found",
          "Linkedin Url": "https://www.linkedin.com/search/results/people/",
          "Company": "Hazel Ltd"}],
        [(None, None, None, "Hazel Ltd", None)],
    ),
    "a German list": (
        [{"Vorname": "Ida", "Nachname": "Ilex", "E-Mail": "k.A.", "E-Mail privat": "ida@ilex.example",
          "Telefon": "030 901821",
          "Firma": "Ilex GmbH & Co. KG", "Webseite": "ilex.example und ilex-shop.example", "Land": "Deutschland"}],
        [("ida@ilex.example", "+4930901821", None, "Ilex GmbH & Co. KG", "ilex.example")],
    ),
    "a French list": (
        [{"Prénom": "Jo", "Nom": "Jonc", "Courriel": "jo@jonc.con", "Téléphone": "01 42 68 53 00", "Société": "néant",
          "Site web": "www.jonc.example", "Pays": "France"}],
        [(None, "+33142685300", None, None, "www.jonc.example")],
    ),
    "a CRM's own words": (
        [{"Full Name": "Kim Kauri", "Email": "#N/A", "Work Email": "kim@kauri.example",
          "Phone": "+15550100", "Mobile": "+44 7400 123456",
          "Company": "(blank)", "Linkedin Url": "https://www.linkedin.com/company/kauri"}],
        [("kim@kauri.example", "+447400123456", None, None, None)],
    ),
}  # fmt: skip


def test_ten_awkward_lists_ask_for_bill_and_deliver_values_only(harness: BatchHarness, tmp_path: Path) -> None:
    firms = 0
    for name, (rows, expected) in FILES.items():
        batch = harness.launch(rows, echo("mail", "email"), echo("dial", "phone"), company_step("firm"))
        batch.run()
        sent: dict[str, list[str]] = {"mail": [], "dial": [], "firm": []}
        for result in batch.results():
            sent[result["workflow_slug"]].append(result["payload"].get("json", {}).get("it"))
        emails, phones, _, companies, _ = ([lead[n] for lead in expected if lead[n]] for n in range(len(COLUMNS)))
        assert sorted(sent["mail"]) == sorted(emails), name
        assert sorted(sent["dial"]) == sorted(phones), name
        assert len(sent["firm"]) == len(companies), name
        assert batch.statuses() == {
            status: count
            for status, count in (
                ("COMPLETED", len([*emails, *phones, *companies])),
                ("SKIPPED", 3 * len(expected) - len([*emails, *phones, *companies])),
            )
            if count
        }, name
        firms += len(companies)

        publish_batch_sources(hq_of(batch.settings), batch.settings, batch.key)
        build_models(batch.settings, batch.key, ["final_leads"])
        files = [tmp_path / f"{batch.key}.csv", tmp_path / f"{batch.key}.xlsx"]
        for file in files:
            assert export_model(hq_of(batch.settings), batch.settings, batch.key, "final_leads", file) == len(rows)
        assert [read(file) for file in files] == [expected, expected], name
    assert batch.billed("firm") == batch.asked("firm") == firms


def read(file: Path) -> list[Lead]:
    """The columns of an exported file, in the order of the rows; blank cells are None."""
    if file.suffix == ".csv":
        with file.open(encoding="utf-8-sig", newline="") as text:
            header, *lines = list(csv.reader(text))
    else:
        workbook = python_calamine.CalamineWorkbook.from_path(str(file))
        header, *lines = [[str(cell) for cell in line] for line in workbook.get_sheet_by_index(0).to_python()]
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    found = sorted(rows, key=lambda row: float(row["row_number"]))
    return [tuple(row[column] or None for column in COLUMNS) for row in found]
