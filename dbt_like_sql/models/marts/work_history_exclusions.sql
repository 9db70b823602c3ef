-- One row per entry of a job history that is no row of person_work_history, with the reason and as it came. Rows there
-- plus rows here are the entries of all histories, exactly.
select
    client_slug,
    batch_key,
    item_id,
    source_workflow,
    source_provider,
    result_id,
    case when exclusion_reason <> 'not_a_list' then ordinal end as ordinal,
    exclusion_reason as reason,
    entry
from {{ ref('stg_employment') }}
where exclusion_reason is not null
