-- One row per (item, address, who gave it): every address anyone had, what counts of what was said of it, whose word that
-- is, and why it is not the one that final_leads shows.
with candidates as (

    {{ contact_candidates('email') }}

)

select
    client_slug,
    batch_key,
    item_id,
    lower(trim(value)) as email,
    nullif(split_part(lower(trim(value)), '@', 2), '') as email_domain,
    source_kind,
    source_workflow,
    source_provider,
    uploaded_column,
    said_type as email_type,
    confidence,
    verdict,
    said,
    said_by as verified_by,
    said_at as verified_at,
    sources_disagree,
    finders,
    is_confirmed,
    is_chosen,
    why_not,
    fetched_at
from candidates
