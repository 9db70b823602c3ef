-- One row per education entry that is no row of person_education, with the reason and as it came. Rows there plus rows
-- here are the entries of all `education` lists and the education entries of all job histories, exactly.
select
    client_slug,
    batch_key,
    item_id,
    source_workflow,
    source_provider,
    result_id,
    found_in,
    case when exclusion_reason <> 'not_a_list' then ordinal end as ordinal,
    exclusion_reason as reason,
    entry
from {{ ref('stg_education') }}
where exclusion_reason is not null
