#!/usr/bin/env bash
# python-calamine: one would expect the rows of a sheet to begin at its first used cell, or at A1, in both directions, and
# the ranges of merged cells to count like the rows. `iter_rows()` begins with row 1 of the sheet, but with the first *used
# column*; `merged_cell_ranges` counts both from A1. So in a list that stands one column to the right the merged range
# of its company column points at the column beside it, unless `sheet.start` is added.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" -q install python-calamine==0.9.1 xlsxwriter==3.3.1
"$folder/env/bin/python" - "$folder/list.xlsx" <<'PYTHON'
import sys

import xlsxwriter
from python_calamine import load_workbook

book = xlsxwriter.Workbook(sys.argv[1])
sheet = book.add_worksheet("List")
sheet.write_row(2, 1, ["Company", "Email"])  # B3
sheet.merge_range(3, 1, 4, 1, "Acme")  # B4:B5
sheet.write(3, 2, "ada@acme.example")
sheet.write(4, 2, "bob@acme.example")
book.close()

read = load_workbook(sys.argv[1]).get_sheet_by_name("List")
rows = list(read.iter_rows())
print("start", read.start, "merged", read.merged_cell_ranges)
print(*rows, sep="\n")
assert rows[:2] == [["", ""], ["", ""]], "the empty rows above are there"
assert rows[2] == ["Company", "Email"], "the empty column on the left is not"
(top, left), (bottom, _) = read.merged_cell_ranges[0]
assert rows[top][left] == "ada@acme.example", "the range's place in the rows is the next column"
assert rows[top][left - read.start[1]] == "Acme"
assert rows[bottom][left - read.start[1]] == "", "and the covered cell is empty"
PYTHON
echo "OK: python-calamine 0.9.1 counts rows from the sheet's first row, columns from the first used one, merged ranges from A1"
