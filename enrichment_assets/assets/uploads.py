"""`raw_apollo_uploads` and `batch_items`: the uploaded file as it came, and its rows as isolated items.

What needs Arrow is imported when an asset runs: every process of Dagster loads this module.
"""

import dagster as dg

from enrichment_assets.assets.failures import values_withheld
from enrichment_assets.assets.partitions import OWNERS, batches
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq

RAW_UPLOADS = dg.AssetKey("raw_apollo_uploads")
BATCH_ITEMS = dg.AssetKey("batch_items")


@dg.asset(
    key=RAW_UPLOADS,
    partitions_def=batches,
    group_name="uploads",
    owners=OWNERS,
    kinds={"parquet", "csv"},
    description="Raw uploads: the batch's list as it came, every row and every column as text, unaltered (Parquet).",
)
@values_withheld()
def raw_apollo_uploads(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult:
    """Write the batch's upload to the warehouse."""
    from enrichment_assets.services.uploads.raw_uploads import write_raw_upload

    with platform.open_hq() as hq:
        raw = write_raw_upload(hq, platform.settings(), context.partition_key)
    columns = [dg.TableColumn(name, kind) for name, kind in raw.columns_to_show]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": raw.rows,
            "dagster/column_schema": dg.TableSchema(columns=columns),
            "rejected_rows": raw.rejected,
            "file": raw.filename,
            "sha256": raw.sha256,
            "path": dg.MetadataValue.path(str(raw.path)),
        }
    )


ITEMS_CHECK = dg.AssetCheckSpec(
    "rows_in_are_rows_out",
    asset=BATCH_ITEMS,
    blocking=True,
    description="Every row of the upload is an item or a rejection with a reason.",
)

ITEMS_SPEC = dg.AssetSpec(
    key=BATCH_ITEMS,
    deps=[RAW_UPLOADS],
    skippable=True,
    partitions_def=batches,
    group_name="uploads",
    owners=OWNERS,
    kinds={"postgres"},
    description=(
        "One item per readable row, with identity columns, the original cells as JSON, its company key, and a PENDING "
        "state for every step of the batch's blueprint. Rows in = items + rejections."
    ),
    metadata={
        "dagster/column_schema": dg.TableSchema(
            columns=[
                dg.TableColumn("id", "bigint"),
                dg.TableColumn("row_number", "bigint"),
                dg.TableColumn("company_key", "text"),
                *(dg.TableColumn(name, "text") for name in IDENTITY_FIELDS),
                dg.TableColumn("original_data", "jsonb"),
            ]
        )
    },
)
"""The items are laid out by the run's first act in HQ, in the step that then works on them (`enrichment.py`): so that
nothing is enriched before they are there, whichever steps a run selects."""


def lay_out(hq: Hq, settings: Settings, batch_key: str, *, check: bool) -> dg.MaterializeResult:
    """Split the upload into items (idempotent: existing items stay); with `check`, whether none was lost."""
    from enrichment_assets.services.batches.items import create_items

    report = create_items(hq, settings, batch_key)
    return dg.MaterializeResult(
        asset_key=BATCH_ITEMS,
        metadata={
            "dagster/row_count": report.items,
            "rows": report.rows,
            "rejected_rows": report.rejected,
            "created_now": report.created,
            "cells_without_a_value": dict(report.not_values),
        },
        check_results=[
            dg.AssetCheckResult(
                asset_key=BATCH_ITEMS,
                check_name=ITEMS_CHECK.name,
                passed=report.rows == report.items + report.rejected + report.held_back,
                metadata={
                    "rows": report.rows,
                    "items": report.items,
                    "rejected": report.rejected,
                    "held_back": report.held_back,
                },
            )
        ]
        if check
        else [],
    )
