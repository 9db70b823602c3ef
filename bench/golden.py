"""Golden records of many leads: time and memory beside reading the same values once.

    python -m bench.golden [LEADS]

A client's list of the same people comes ten times, a little changed: three quarters of the
people have an address, a half a profile too, a quarter nothing. What is measured is what the platform does: the models'
own SQL, in a session of the platform with its memory limit, from Parquet files into Parquet files. The yardstick is one
aggregation by lead over the same values.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.warehouse.files import Layout, quoted
from enrichment_assets.warehouse.project import load_project
from enrichment_assets.warehouse.session import connect, give_memory_back
from enrichment_assets.warehouse.writing import write_query

MODELS = ("lead_people", "golden_people", "lead_companies", "golden_companies")
LISTS = 10

_LEADS = """
    select 'acme' as client_slug, 'batch-' || (i % {lists}) as batch_key, i as item_id,
           timestamptz '2026-01-01' + to_hours(i % {lists} * 720) as created_at, cast(0.05 as decimal(18, 6)) as cost,
           'Given' || (p % 977) as first_name, 'Family' || (p % 99991) as last_name, null::varchar as full_name,
           'CTO' as title,
           null::varchar as seniority,
           case when p % 4 < 3 then 'given' || (p % 977) || '.' || p || '@firm' || (p % {firms}) || '.com' end as email,
           null::varchar as phone,
           case when p % 4 in (0, 1) and i % 3 > 0 then 'https://www.linkedin.com/in/person-' || p end as linkedin_url,
           'Firm ' || (p % {firms}) || case when i % 2 = 0 then ' Inc' else '' end as company_name,
           'firm' || (p % {firms}) || '.com' as company_domain, null::varchar as company_website,
           null::varchar as company_linkedin_url,
           null::varchar as company_phone, 'software' as industry, 'Berlin' as city,
           null::varchar as state, 'Germany' as country,
           null::varchar as apollo_contact_id, null::varchar as apollo_account_id
    from (select i, hash(i // {lists}) % {people} as p from range({leads}) as r(i))
"""
_CELLS = [name for name in IDENTITY_FIELDS if name not in ("apollo_contact_id", "apollo_account_id")]


def main(leads: int) -> None:
    """Measure, and print a line for each model."""
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder))
        connection = connect(layout)
        counts = {"lists": LISTS, "firms": leads // 40, "people": leads // 8, "leads": leads}
        files = _fill(connection, Path(folder), counts)
        for name, path in files.items():
            connection.execute(f"create or replace view {name} as select * from read_parquet({quoted(path)})")
        started = time.perf_counter()
        connection.execute("select count(*) from (select item_id, max(value), count(*) from lead_values group by 1)")
        yardstick = time.perf_counter() - started
        print(f"{leads:,} leads; one aggregation of their values by lead: {yardstick:.1f} s")
        for name in MODELS:
            started = time.perf_counter()
            path = Path(folder) / f"{name}.parquet"
            rows = write_query(connection, load_project().models[name].sql, path)
            seconds = time.perf_counter() - started
            connection.execute(f"create or replace view {name} as select * from read_parquet({quoted(path)})")
            give_memory_back(connection)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(
                f"{name}: {rows:,} rows, {seconds:.1f} s, {seconds / yardstick:.0f} aggregations; peak {peak} MB so far"
            )


def _fill(connection: object, folder: Path, counts: dict[str, int]) -> dict[str, Path]:
    """The tables that the models read, as Parquet files."""
    execute = connection.execute  # type: ignore[attr-defined]
    execute("create schema if not exists hq")
    items = folder / "items.parquet"
    execute(f"copy ({_LEADS.format(**counts)}) to {quoted(items)} (format parquet)")
    unpivoted = f"""
        select client_slug, batch_key, item_id, field, value, 'upload' as source_kind, null::varchar as source_workflow,
               case when field = 'email' then 'valid' end as verdict, null::varchar as kind, '* from upload' as rule,
               90 as priority, cast(null as integer) as standing, cast(null as double) as confidence, false as is_bad,
               true as is_shown, 1 as rank, created_at as fetched_at
        from (unpivot (select client_slug, batch_key, item_id, created_at, {", ".join(_CELLS)}
                       from read_parquet({quoted(items)}))
              on columns(* exclude (client_slug, batch_key, item_id, created_at)) into name field value value)
    """
    values, steps = folder / "values.parquet", folder / "steps.parquet"
    execute(f"copy ({unpivoted}) to {quoted(values)} (format parquet)")
    step = (
        "select 'b' as batch_key, 'w' as workflow_slug, 'http' as provider, null::varchar as id_namespace where false"
    )
    execute(f"copy ({step}) to {quoted(steps)} (format parquet)")
    return {"hq.batch_items": items, "final_leads": items, "lead_values": values, "hq.batch_steps": steps}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
