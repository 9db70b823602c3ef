"""Strings that somebody wrote to do harm, made of what runs and what it breaks out of; and a flood of them.

`flooded` is an installation in which every place that shows data shows such strings.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import sql

from enrichment_assets.domain.access import Role
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.services.access.signing import Signing
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.services.insight.named_reports import REPORTS
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.database import connect
from enrichment_assets.web.console.pages import PAGES
from tests.access.connected import connect_all
from tests.access.office import Office
from tests.actors import TESTER
from tests.harness.databases import PostgresServer
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead

RUNS = (
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<img src=http://evil.example/pixel.png>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<a href=javascript:alert(1)>look</a>",
    "<form action=javascript:alert(1)><button>go</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<style>@import 'http://evil.example/x.css'; * { display: none }</style>",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=http://evil.example/'>",
    "<base href=http://evil.example/>",
    "<object data=http://evil.example/x.swf></object>",
    "<video src=http://evil.example/x.mp4 onerror=alert(1)></video>",
    "<div style='position:fixed;width:9999px;height:9999px;background:red'>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
)
"""What is to run, to load or to cover something."""

BREAKS = ("", '">', "'>", "</title>", "</textarea>", "</option></select>", "-->", "</script>", "</pre></td></table>")
"""What it is to break out of: an attribute, an element, a comment."""

OTHERS = (
    "javascript:alert(1)",
    " jAvAsCrIpT:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "//evil.example/",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "` onerror=alert(1) `",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}{# x #}",
    "${7*7}#{7*7}<%= 7*7 %>[[7*7]]",
    "{{constructor.constructor('alert(1)')()}}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "&amp;lt;b&amp;gt;",
    "<!--",
    "<![CDATA[ <script>alert(1)</script> ]]>",
    "<?php echo 1 ?>",
    "[look](javascript:alert(1)) ![x](http://evil.example/p.png) <http://evil.example>",
    '=HYPERLINK("http://evil.example","x")',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1+1)",
    "Ann\r\nSet-Cookie: enrich_session=x",
    "Ann\r\n\r\n<script>alert(1)</script>",
    "%0d%0aSet-Cookie:%20x=1",
    "\u202eevil\u202c",
    "\u2066\u2067\u2069\u200f\u200e",
    "a\u200bb\u200cc\u200dd\ufeffe",
    "\u2028\u2029line",
    "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd",
    "\u0627" * 400,
    "Z\u0351\u036b\u0343\u036a\u0302" * 40,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 60,
    "\U000e0041\U000e0042",
    "\u6f22" * 500,
    "W" * 5_000,
    "a-very-long-address-without-any-place-to-break/" * 60,
    "   ",
    "-" * 300,
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "\x1b[31mred\x07\x08",
    "1; drop table leads --",
    "' or '1'='1",
    "../../etc/passwd",
)
"""Addresses, templates, entities, formulas, headers, directions, and what has no place to break."""

HOSTILE = tuple(f"{breaks}{runs}" for runs in RUNS for breaks in BREAKS) + OTHERS
"""All of them."""

_SHOWN = [
    *(
        "accepted_reason",
        "decided_by",
        "disabled_reason",
        "drafted_by",
        "edited_by",
        "error",
        "evidence",
        "external_id",
    ),
    *(
        "filename",
        "followed",
        "label",
        "last_error",
        "message",
        "note",
        "owner",
        "postal_address",
        "problem",
        "process",
    ),
    *("raw", "reason", "said", "set_by", "subject", "summary", "title"),
]
"""Columns that hold a text which somebody wrote or said, and that pages show."""

_NO_PAGES = ("/live", "/leads-file", "/launch", "/password", "/confirm")
"""Addresses that show nothing by themselves: a stream, a file, and what takes more than an address."""

_NOBODY = ("{subject}", "{organisation}")
"""In addresses of what nobody was, and what no answer named: there is none of it here."""

STEP = "match-person-via-apollo"
_AT_ONCE = 9
BATCH = "acme-1-hostile"


@dataclass
class Flooded:
    """The console of an installation that is full of such strings, seen by its owner; `pages`: addresses to look at."""

    office: Office
    cookie: str
    pages: list[str]
    filled: set[str]


@pytest.fixture(scope="module")
def flooded(
    postgres_server: PostgresServer, hq_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flooded]:
    names = postgres_server.create(hq_template), postgres_server.create()
    urls = [postgres_server.url(name) for name in names]
    settings = Settings(tmp_path_factory.mktemp("home") / "home", urls[0], urls[1])
    Build(settings)(_leads(), batch_key=BATCH, client="acme").close()
    with open_hq(settings) as hq:
        with registry(hq):
            pass
        named = connect_all(hq, "acme")
        office = Office(hq, settings, Signing.of(settings))
        office.add("ada", Role.OWNER)
        uploads = _uploads(office)
        with connect(urls[0]) as raw:
            _shipped_steps(raw)
            _rows(raw)
            filled = _flood(raw)
        with hq.transaction() as connection:
            for text in HOSTILE:
                note_action(connection, TESTER, Code.CLIENT_ADD, text[:200], before={"name": text}, after={text: text})
        cookie = f"enrich_session={office.log_in('ada').session}"
        yield Flooded(office, cookie, _pages(urls[0], uploads, named), filled)
    for name in names:
        postgres_server.drop(name)


def _leads() -> list[Lead]:
    """Leads whose values, drafts, facts and reasons are all of them."""
    found = []
    for start in range(0, len(HOSTILE), _AT_ONCE):
        some = (HOSTILE[start : start + _AT_ONCE] * 2)[:_AT_ONCE]
        fields = {"full_name": some[0], "company_name": some[1], "title": some[2]}
        facts = {"facts": list(some)}
        draft = {"draft_subject": some[3], "draft_body": "\n".join(some), "draft_facts": [1]}
        answers = [
            Answer("gather-facts", fields=facts, provider="local", reason=some[4]),
            Answer("qualify-lead", fields={"lead_grade": "A"}, provider="openai", reason=some[5]),
            Answer("personalise-email", fields=draft, provider="openai"),
            Answer(
                "match-person-via-apollo",
                {"x": some[6]},
                {"industry": some[7], "email": some[8]},
                citations={"industry": [{"at": "industry", "input": some[6], "quote": some[7], "start": 0}]},
            ),
        ]
        found.append(Lead(fields, answers))
    return found


def _uploads(office: Office) -> list[int]:
    """Files whose names, headers and cells are such strings; a name that cannot be printed is none."""
    found = []
    path = office.settings.home / "hostile.csv"
    for start in range(0, len(HOSTILE), 40):
        some = [" ".join(text.split())[:300] for text in HOSTILE[start : start + 40]]
        line = ",".join('"' + text.replace('"', '""') + '"' for text in some)
        path.write_text(f"{line}\n" * 3, encoding="utf-8")
        name = "".join(one for one in some[0] if one.isprintable() and one != "/")[:200] + ".csv"
        done = upload_file(office.hq, office.settings, path, "acme", actor=TESTER, source="api", filename=name)
        found.append(done.upload_id)
    return found


def _shipped_steps(raw: psycopg.Connection[dict[str, object]]) -> None:
    """The batch's steps are the shipped ones, which write drafts and read facts."""
    shipped = builtin_workflows()
    for row in raw.execute("select id, blueprint from batches").fetchall():
        blueprint = row["blueprint"]
        assert isinstance(blueprint, dict)
        for step in blueprint["steps"]:
            step["workflow"] = shipped[step["workflow"]["slug"]].model_dump(mode="json", by_alias=True)
        raw.execute("update batches set blueprint = %s where id = %s", [json.dumps(blueprint), row["id"]])


_ROWS = """
insert into provider_calls (call_key, client_id, batch_id, item_id, workflow_slug, subject_key, provider, operation,
    state, fence)
  select 'call ' || n, c, b, i, 'match-person-via-apollo', 's', 'apollo', 'match', 'sent', 1 from given;
insert into callback_inbox (client_id, batch_id, call_id, headers, body, body_sha256, status, error)
  select c, b, p.id, '{}', convert_to(t, 'UTF8'), sha256(convert_to(t, 'UTF8')), 'dead', t
  from given join provider_calls p on p.call_key = 'call ' || n;
insert into deliveries (client_id, destination, identity_sha256, identity_field, key, state, item_id, batch_id, version,
    actor, reason, external_id)
  select c, 'deliver-to-webhook', h, 'email', left(encode(h, 'hex'), 40), 'refused', i, b, '1', 'cli:a', t, t
  from given;
insert into suppressions (client_id, kind, hash, reason, actor) select c, 'email', h, t, 'cli:a' from given;
insert into item_edits (client_id, batch_id, item_id, field, value, edited_by, note)
  select c, b, i, 'seniority', t, left(t, 60), t from given;
insert into upload_rejections (client_id, upload_id, row_number, line_number, reason, raw)
  select c, u, 1000 + n, 1000 + n, t, t from given;
"""


def _rows(raw: psycopg.Connection[dict[str, object]]) -> None:
    """A row for each string where there would be none: callbacks, deliveries, suppressions, corrections, rejections."""
    raw.execute(
        "create temp table given on commit drop as select x.n, x.t, sha256(convert_to(x.n::text, 'UTF8')) as h, "
        "i.id as i, i.batch_id as b, i.client_id as c, (select max(id) from uploads) as u "
        "from unnest(%s::text[]) with ordinality as x(t, n), (select * from batch_items order by id limit 1) i",
        [list(HOSTILE)],
    )
    for statement in filter(str.strip, _ROWS.split(";")):
        raw.execute(statement)  # type: ignore[arg-type]


def _flood(raw: psycopg.Connection[dict[str, object]]) -> set[str]:
    """Such a string in each text that somebody wrote; the tables and columns that took one."""
    found = set()
    columns = raw.execute(
        "select table_name, column_name from information_schema.columns where table_schema = current_schema() "
        "and data_type = 'text' and (column_name = any(%s) or (table_name, column_name) in (('clients', 'name')))",
        [_SHOWN],
    ).fetchall()
    for row in columns:
        table, column = str(row["table_name"]), str(row["column_name"])
        texts = [text for text in HOSTILE if len(text) <= 200 or not table.startswith("enrichment_")]
        # a check of the table refuses what no code of ours can write there: then it stays as it is
        with suppress(psycopg.Error), raw.transaction():
            done = raw.execute(
                sql.SQL("update {t} set {c} = (%s::text[])[1 + abs(hashtext({t}::text)) %% %s]").format(
                    t=sql.Identifier(table), c=sql.Identifier(column)
                ),
                [texts, len(texts)],
            )
            found |= {f"{table}.{column}"} if done.rowcount > 0 else set()
    raw.execute(
        "update client_workflow_configs set settings = jsonb_build_object('parameters.x', %s::text)", [HOSTILE[0]]
    )
    return found


def _pages(url: str, uploads: list[int], named: dict[str, str]) -> list[str]:
    """Addresses of every page of the console; of those of one lead or upload all that show another string."""
    with connect(url) as raw:
        items = [int(row["id"]) for row in raw.execute("select id from batch_items order by id").fetchall()]
    known = {**named, "batch": BATCH, "client": "acme", "workflow": "normalise-name", "kind": "sensor"}
    found = [f"/batches/{BATCH}/review?draft={item}/personalise-email" for item in items]
    found += [f"/clients/acme/settings?workflow={STEP}", "/clients/acme/builder?pipeline=research-and-write"]
    found += [f"/workflow-editor?workflow={STEP}", f"/workflows/{STEP}"]
    found += [f"/reports?report={name}" for name in REPORTS]
    for page in PAGES:
        if page.method != "GET" or page.path.endswith(_NO_PAGES) or any(name in page.path for name in _NOBODY):
            continue
        path = page.path.format_map({**known, "item": "{item}", "upload": "{upload}"})
        some = uploads if "{upload}" in path else items if "{item}" in path else [0]
        found += [path.format(item=number, upload=number) for number in some]
    return found
