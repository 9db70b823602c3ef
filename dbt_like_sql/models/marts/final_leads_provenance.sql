-- One row per (item, field) that has a value: where the value in final_leads comes from, and how many it beat.
select
    client_slug,
    batch_key,
    item_id,
    field,
    value,
    source_kind,
    source_workflow,
    source_provider,
    edited_by,
    confidence,
    verdict,
    reused_from_batch,
    fetched_at,
    rule,
    candidates
from {{ ref('lead_values') }}
where rank = 1 and verdict is distinct from 'placeholder'
