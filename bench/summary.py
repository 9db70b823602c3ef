"""The results as rows for people: part, figure, value, goal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.whole_run import GOALS

Row = tuple[str, str, str, str]


def summary(results: dict[str, Any]) -> list[Row]:
    """The figures that the goals are about, of the parts that the results have."""
    rows: list[Row] = []
    for part, figures in results.items():
        rows.extend(_SUMMARIES[part](figures))
    return rows


def _small(figures: dict[str, Any]) -> Iterator[Row]:
    report = figures["small"]
    for command, cost in report["commands"].items():
        ratio = report.get("cpu_ratio", {}).get(command)
        value = f"{cost['cpu_s']:.2f} CPU s" + ("" if ratio is None else f", {ratio:.2f} of the other checkout")
        yield "small", f"48 rows x 4 steps: {command}", value, _SMALL_GOALS.get(command, "")


def _daemon(figures: dict[str, Any]) -> Iterator[Row]:
    for name in [name for name in ("launch", "storage", "idle") if name in figures]:  # a results file may have one
        ours, other = figures[name], figures.get(f"{name}, other checkout")
        if name == "launch":
            one = ours["one"]["wall"]
            ratio = "" if other is None else f", {one / other['one']['wall']:.2f} of the other checkout"
            yield "daemon", "48 rows: launch to tables", f"{one:.1f} s{ratio}", "0.35"
            yield "daemon", "five lists at once, to one", f"{ours['five_at_once']['wall'] / one:.2f}", "2.5"
        elif name == "storage":
            for span, found in ours.items():
                megabytes = f"{found['disk_bytes'] / 1e6:.2f} MB in {found['runs']} runs"
                yield "daemon", f"Dagster's storage, callbacks over {span}", megabytes, "0.5 MB"
        else:
            for batches, seconds in ours.items():
                theirs = None if other is None else other.get(batches)
                ratio = "" if theirs is None else f", {seconds / theirs:.2f} of the other checkout"
                yield "daemon", f"idle, {batches}", f"{seconds:.0f} CPU s an hour{ratio}", "0.5"


def _engine(figures: dict[str, Any]) -> Iterator[Row]:
    for name in ("wire", "ceiling"):
        report = figures.get(name, {"sizes": []})  # a results file may have one of the two
        for size in report["sizes"]:
            what = f"{size['items']:,} items, latency {report['latency']}"
            for side in size:
                if isinstance(size[side], dict) and "items_per_second" in size[side]:
                    yield "engine", f"{what}: {side}", _speed(size[side]), ""
            for client, ratio in size["ratio"].items():
                goal = f"{report['goal']}" if name == "wire" and client == "aiohttp" else ""
                yield "engine", f"{what}: wall time of engine / {client}", f"{ratio:.2f}", goal


def _whole(figures: dict[str, Any]) -> Iterator[Row]:
    report = figures["whole"]
    for size in report["sizes"]:
        what = f"{size['items']:,} items x 3 calls of {report['latency']} to published tables"
        value = f"{size['run']['wall_s']} s, {size['ratio']:.2f} x a bare loop that fills two tables"
        yield "whole", what, value, str(GOALS.get(size["items"], ""))


def _speed(side: dict[str, Any]) -> str:
    cpu = side["cpu_seconds_per_1000_items"]["cpu_seconds"]
    return (
        f"{side['items_per_second']:,} items/s, {side['calls_per_second']:,} calls/s, "
        f"{cpu:.2f} CPU s / 1,000 items, {side['peak_megabytes']} MB"
    )


def _bulk(figures: dict[str, Any]) -> Iterator[Row]:
    limited, cpu = figures["bulk"]["limited"], figures["bulk"]["cpu"]
    faster = f"{limited['times_faster']:.1f} x as fast as singly ({limited['scaled_down_to']})"
    yield "bulk", f"{limited['stands_for']}, ten in a call", faster, f"{limited['goal']}"
    yield "bulk", "the engine's CPU per item, to that without", f"{cpu['ratio']:.2f}", f"{cpu['goal']}"


def _families(figures: dict[str, Any]) -> Iterator[Row]:
    report = figures["families"]
    what = f"{report['courses']} courses with {report['contacts']} contacts"
    ratio = report["ratio_to_chain"]
    yield "families", f"{what}, to the slowest chain of each", f"{ratio['median']:.2f}, at most {ratio['most']:.2f}", ""


def _fairness(figures: dict[str, Any]) -> Iterator[Row]:
    report = figures["fairness"]
    what = f"{report['short']} rows beside {report['batches']} batches of {report['long']:,}"
    slower = f"{report['slower']:.2f} x its time alone"
    yield "fairness", f"{what}: the short list", slower, f"{report['goals']['slower']}"
    yield "fairness", f"{what}: the long ones lose", f"{report['loses']:.1%}", f"{report['goals']['loses']:.0%}"


def _receiver(figures: dict[str, Any]) -> Iterator[Row]:
    report = figures["receiver"]
    for level in report["levels"]:
        durable = level["durable"]
        value = (
            f"{durable['per_second']:,.0f}/s, p50 {durable['p50_ms']:.1f} ms, p99 {durable['p99_ms']:.1f} ms, "
            f"{level['ratio']:.2f} of no commit"
        )
        yield "receiver", f"{level['connections']} connections: durable callbacks", value, f"{report['goal']}"


def _ingest(figures: dict[str, Any]) -> Iterator[Row]:
    report = figures["ingest"]
    ratio = f"{report['ingest_to_duckdb_time_ratio']:.2f} x the time of DuckDB"
    yield "ingest", "CSV upload and read", f"{report['ingest_rows_per_second']:,} rows/s, {ratio}", ""
    yield "ingest", "items, leases and states laid out", f"{report['create_items_rows_per_second']:,} items/s", ""


def _storing(figures: dict[str, Any]) -> Iterator[Row]:
    report = figures["storing"]
    yield "storing", "new rows into a workspace table", f"{report['rows_per_second']:,} rows/s", ""
    yield "storing", "the same rows again", f"{report['rows_per_second_again']:,} rows/s", ""


def _extraction(figures: dict[str, Any]) -> Iterator[Row]:
    report = figures["extraction"]
    rows = f"{report['history_rows']:,} history rows"
    value = f"{report['extraction_s']:.2f} s, {report['ratio_to_hand_written']:.2f} x a hand-written query"
    yield "extraction", rows, value, "1.5"
    yield "extraction", f"{rows} published, with the other marts", f"{report['publish_s']:.2f} s", ""
    if "times_faster_than_dlt" in report:
        yield "extraction", "speed by that of dlt", f"{report['times_faster_than_dlt']:.1f}", "10"
    yield "extraction", "worked at X, published table", f"{report['worked_at_published_ms']:.0f} ms", "100 ms"
    yield "extraction", "worked at X, Parquet", f"{report['worked_at_parquet_ms']:.0f} ms", "1000 ms"


_SMALL_GOALS = {"run": "0.3", "nothing left": "0.15", "status": "0.5", "query": "0.5", "location load": "0.6"}
"""Of commit d9b7f17, CPU seconds."""


def _volume(figures: dict[str, Any]) -> Iterator[Row]:
    report = figures["volume"]
    for side in report["sides"]:
        value = (
            f"{side['wall_s']} s, {side['cpu_s'] + side['postgres_cpu_s']:.1f} CPU s, {side['memory_mb']} MB, "
            f"{side['bytes_a_row']:,} bytes a row in Postgres"
        )
        yield "volume", f"{report['rows']:,} rows x 2 local steps, enrich run by {side['python']}", value, ""


_SUMMARIES = {
    "small": _small,
    "daemon": _daemon,
    "engine": _engine,
    "whole": _whole,
    "bulk": _bulk,
    "families": _families,
    "fairness": _fairness,
    "receiver": _receiver,
    "ingest": _ingest,
    "storing": _storing,
    "extraction": _extraction,
    "volume": _volume,
}
