#!/usr/bin/env bash
# trafilatura (2.3.1), the usual library for the text of a page, reads a home page the other way round from a person.
#
# Expected: what is on the screen is the text, and what is hidden is not; `favor_recall=True` leaves nothing out that
# somebody can read.
# Seen: the footer, where a company has its address, e-mail and number, is left out; a paragraph with the attribute
# `hidden`, or of a font of no size, is taken in, while one with `display:none` is not.
#
# Ours: domain/pages reads what is seen, footers among it, and takes addresses from there (tests/domain/pages).
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check trafilatura==2.3.1 lxml==6.1.3 lxml_html_clean==0.4.6
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import trafilatura

told = "We build pumps for breweries and dairies in forty countries, and have worked on valves and seals since 1998. "
page = f"""<html><body><main><h1>Acme Pumps</h1><p>{told}</p>
<p hidden>This sentence of the attribute is one that no reader ever sees on a screen.</p>
<p style="font-size:0">This sentence of no size is one that no reader ever sees on a screen.</p>
<p style="display:none">This sentence of no display is one that no reader ever sees on a screen.</p><p>{told}</p></main>
<footer><p>Acme Pumps GmbH, 28195 Bremen. Write to sales@acme.example or call +49 421 1234567.</p></footer></body></html>"""
text = trafilatura.extract(page, favor_recall=True) or ""
print(f"trafilatura {version('trafilatura')}: {len(text)} characters")
assert "sentence of the attribute" in text, "a hidden paragraph is left out now"
assert "sentence of no size" in text, "a paragraph of no size is left out now"
assert "sentence of no display" not in text
assert "sales@acme.example" not in text, "the footer is read now"
print("OK: hidden paragraphs are read, and the footer with the addresses is not")
PYTHON
