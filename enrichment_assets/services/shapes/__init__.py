"""One JSON shape per noun: what `--json` prints, and what the API and the console give and take.

What belongs here: a frozen dataclass per noun whose fields are the keys, in their order, made from what a service
returns; and the one serialiser. `docs/json.md` is written from these classes. The same noun has the same keys wherever
it is shown, and another noun that names it does so by one word: `client` (slug), `upload_id`, `batch` (key), `workflow`
(slug), `pipeline` (slug), `item_id`.
"""
