"""What is done behind a pooler, on a server without one: settings hold in a transaction and are gone after it.

Whether a real pooler is served by that is tested with one (`tests/services`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster._core.instance.ref import InstanceRef

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.installation.databases import Databases, open_databases
from enrichment_assets.resources.dagster_engines import make_engine
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import AsyncConnection, connect_async, route_to
from enrichment_assets.store.inbox.callbacks import IncomingCallback, Receipt, prepare_session, store_callbacks
from enrichment_assets.store.pooling import Pooling, advice, options_of, without_options
from tests.harness.batches import BatchHarness, async_step, step
from tests.receiver.call_fixture import insert_calls


@pytest.fixture
def pooled(settings: Settings) -> Databases:
    """This test's databases, said to be behind a pooler."""
    return open_databases(replace(settings, hq_pooler="transaction"))


async def _shown(connection: AsyncConnection, name: str) -> str:
    row = await (await connection.execute(f"show {name}")).fetchone()  # type: ignore[arg-type]
    assert row is not None
    return str(row[name])


async def test_a_connection_works_under_settings_that_are_gone_after_each_transaction(pooled: Databases) -> None:
    async with await connect_async(pooled.hq, autocommit=True) as connection:
        assert connection.pooling is Pooling.TRANSACTION
        await connection.work_under({"statement_timeout": "7s", "enable_seqscan": "off"})
        assert await _shown(connection, "statement_timeout") == "0"
        async with connection.under_settings():
            assert await _shown(connection, "statement_timeout") == "7s"
        async with connection.pipeline():
            await connection.begin()
            assert await _shown(connection, "enable_seqscan") == "off"
            await connection.execute("commit")
        assert await _shown(connection, "enable_seqscan") == "on"
        with pytest.raises(psycopg.errors.DivisionByZero):
            async with connection.under_settings():
                await connection.execute("select 1 / 0")
        assert await _shown(connection, "statement_timeout") == "0"
        await connection.execute("select 1", prepare=True)
        kept = await (await connection.execute("select count(*) as n from pg_prepared_statements")).fetchone()
    assert kept == {"n": 0}


async def test_without_a_pooler_they_are_set_once(databases: Databases) -> None:
    async with await connect_async(databases.hq, autocommit=True) as connection:
        assert connection.pooling is Pooling.NONE
        await connection.work_under({"statement_timeout": "7s"})
        assert await _shown(connection, "statement_timeout") == "7s"
        async with connection.under_settings():
            assert connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE


async def test_the_receiver_stores_what_comes_and_what_came_before(pooled: Databases) -> None:
    with psycopg.connect(pooled.hq, row_factory=psycopg.rows.dict_row) as hq:
        token = insert_calls(hq).tokens[0]
    first, unknown = (IncomingCallback(name, "{}", b"x", b"1" * 32) for name in (token, "nobody's"))
    async with await connect_async(pooled.hq, autocommit=True) as connection:
        await prepare_session(connection, 3.0)
        assert await store_callbacks(connection, [first, unknown]) == [Receipt.STORED, Receipt.UNKNOWN_TOKEN]
        assert await store_callbacks(connection, [first]) == [Receipt.ALREADY_STORED]
        assert await store_callbacks(connection, []) == []
        assert await _shown(connection, "statement_timeout") == "0"


def test_dagsters_statements_bring_schema_and_time_limit_and_leave_neither(
    pooled: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HQ_DATABASE_URL", pooled.hq)
    monkeypatch.setenv("HQ_DATABASE_POOLER", "transaction")
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path), config_dir=str(Path.cwd()))) as instance:
        instance.add_dynamic_partitions("batches", ["50 %", "one:two"])
        instance.optimize_for_webserver(statement_timeout=5000, pool_recycle=60, max_overflow=5)
        assert sorted(instance.get_dynamic_partitions("batches")) == ["50 %", "one:two"]
    url = f"{pooled.dagster.replace('postgresql', 'postgresql+psycopg2', 1)}"
    engine = make_engine(url, statement_timeout=5000, pool_size=1)
    with engine.connect() as connection:
        asked = "select current_setting('statement_timeout'), current_schema(), 'a %% b'"
        assert tuple(connection.exec_driver_sql(asked).one()) == ("5s", "dagster", "a % b")
        driver = connection.connection.cursor()
        driver.execute("select current_setting('statement_timeout'), current_schema()")
        assert driver.fetchone() == ("0", "public")
    engine.dispose()


def test_a_run_writes_in_transactions_that_end_when_it_stands_still(harness: BatchHarness, pooled: Databases) -> None:
    assert route_to(pooled.hq).pooling is Pooling.TRANSACTION
    batch = harness.launch([{"first_name": "Ada"}, {"first_name": "Ben"}], step("look"), async_step("ask"))
    batch.run()
    assert batch.statuses() == {"COMPLETED": 2, "IN_PROGRESS": 2}
    for call in batch.calls("ask"):
        batch.call_back(call, {"found": True, "id": "1"})
    batch.run()
    assert batch.statuses() == {"COMPLETED": 4}


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ("-csearch_path%3Dhq", {"search_path": "hq"}),
        ("-c%20search_path%3Dhq%2Cpublic%20-c%20jit%3Doff", {"search_path": "hq,public", "jit": "off"}),
        ("--search-path%3Dhq%20--statement_timeout%3D5s", {"search_path": "hq", "statement_timeout": "5s"}),
        ("-c%20search_path%3D%22My%5C%20Schema%22", {"search_path": '"My Schema"'}),
        ("", {}),
    ],
)
def test_the_settings_of_a_url_are_read_as_the_server_reads_them(options: str, settings: dict[str, str]) -> None:
    """libpq, `options`: command-line arguments, `-c name=value` or `--name=value`, `-` for `_` in the latter."""
    url = f"postgresql://u:p%2B@h:5/d?sslmode=verify-full&options={options}&sslrootcert=/a%20b"
    assert options_of(url) == settings
    kept = psycopg.conninfo.conninfo_to_dict(without_options(url))
    assert kept.pop("password") == "p+"
    assert (kept.pop("sslmode"), kept.pop("sslrootcert")) == ("verify-full", "/a b")
    assert kept == {"user": "u", "host": "h", "port": "5", "dbname": "d"}


@pytest.mark.parametrize("said", ["none", "Transaction", "statement", "pgbouncer", " "])
def test_a_mode_that_is_none_is_refused(settings: Settings, said: str) -> None:
    with pytest.raises(ConfigurationError, match="write transaction or session") as caught:
        open_databases(replace(settings, hq_pooler=said))
    assert caught.value.code == "setting.pooler_invalid"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("FATAL:  unsupported startup parameter: options", "set search_path = SCHEMA"),
        ("FATAL:  unsupported startup parameter in options: search_path", "set search_path = SCHEMA"),
        ("FATAL:  query_wait_timeout", "raise its pool size"),
        ("FATAL:  no more connections allowed (max_client_conn)", "raise its max_client_conn"),
        ("FATAL:  MaxClientsInSessionMode: max clients reached - in Session mode", "its port for transaction mode"),
        ('FATAL:  password authentication failed for user "enrich"', ""),
    ],
)
def test_what_poolers_say_comes_with_what_to_do(words: str, told: str) -> None:
    """Words of PgBouncer 1.18 and 1.24 (src/client.c, src/objects.c), and of Supavisor's `MaxClientsInSessionMode`."""
    assert (told in advice(words)) if told else advice(words) == ""
