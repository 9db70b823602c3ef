"""A table of a page as CSV: values whole, controls left out, nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io

import pytest

from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.web.console.tables import table_as_csv, with_links

PAGE = """
<table><caption>The newest 20</caption>
<thead><tr><th scope="col">who</th><th scope="col">what</th><th scope="col">do</th></tr></thead>
<tbody>
<tr><td><a href="/x">=cmd()</a><small>+1 202</small></td><td>a &lt;b&gt; &amp; c<br>next</td>
  <td><form><input name="x"><button>Go</button></form></td></tr>
<tr><th scope="row">  @SUM(A1) </th><td></td><td><button>Go</button></td></tr>
<tr><td colspan="3" class="none">None.</td></tr>
</tbody></table>
<table><caption class="page">Rows 1 to 2</caption><tbody><tr><td>not this one</td></tr></tbody></table>
<table><caption>The newest</caption><tbody></tbody></table>
"""


def test_a_table_is_its_values_alone_and_none_of_them_is_run() -> None:
    text = table_as_csv(PAGE, "the-newest")
    assert list(csv.reader(io.StringIO(text.removeprefix("\ufeff")))) == [
        ["who", "what"],
        ["'=cmd() +1 202", "a <b> & c next"],
        ["'@SUM(A1)", ""],
    ]
    assert table_as_csv(PAGE, "the-newest-2") == "\ufeff\r\n"
    with pytest.raises(NotFoundError, match="no table 'rows-to'"):
        table_as_csv(PAGE, "rows-to")


def test_a_caption_leads_to_its_table_and_what_has_a_file_of_its_own_has_none() -> None:
    page = with_links(PAGE)
    assert 'The newest 20 <a data-csv href="?csv=the-newest" aria-label="This table as CSV">CSV</a></caption>' in page
    assert 'href="?csv=the-newest-2"' in page
    assert page.count("data-csv") == 2
    filtered = with_links(PAGE, {"actor": 'a"><b', "said": "edited"})
    assert 'href="?actor=a%22%3E%3Cb&amp;csv=the-newest"' in filtered
