"""Reading one sheet of an Excel workbook (.xlsx) as a list: text as it is shown, and nothing lost by the way.

`package` looks into the zip archive and bounds what is read, `formats` finds numbers that are shown with leading zeros
or signs, `cells` turns values into text, `reading` gives rows like those of a delimited file. Nothing here knows the
database.
"""

from enrichment_assets.services.uploads.workbooks.package import is_workbook
from enrichment_assets.services.uploads.workbooks.reading import SheetReading, find_sheet

__all__ = ["SheetReading", "find_sheet", "is_workbook"]
