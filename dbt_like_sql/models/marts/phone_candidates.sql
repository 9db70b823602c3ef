-- One row per (item, number, who gave it): every number anyone had as one whole record, what counts of what was said of it,
-- and why it is not the one that final_leads shows.
with candidates as (

    {{ contact_candidates('phone') }}

)

select
    client_slug,
    batch_key,
    item_id,
    trim(value) as phone,
    source_kind,
    source_workflow,
    source_provider,
    uploaded_column,
    kind as phone_type,
    said_type,
    confidence,
    record_rank,
    verdict,
    said,
    said_by,
    do_not_call,
    is_chosen,
    why_not,
    fetched_at
from candidates
