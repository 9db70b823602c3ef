"""The sandbox's small web: firms and golf courses of any US region, their sites, directories, and what links to them.

Everything follows from the seed and the address: a host says whose it is, so that a page needs no memory.

- `states`, `industries`: what the web is made of.
- `firms`, `courses`: who there is, and what of it is true.
- `searching`: what a search engine finds.
- `sites`: what answers at an address; `writing`: that page as HTML, Markdown or text.
- `maps`: courses, holes and ponds on a map.
"""
