-- One row per (item, verified address): what a verifier said, the youngest word first to be believed.
-- An answer that does not repeat the address it is about speaks of the address that the item had by then.
with verdicts as (

    select
        client_slug,
        batch_key,
        item_id,
        workflow_slug,
        provider,
        fetched_at,
        position,
        json_extract_string(fields, '$.email_status') as verdict,
        try_cast(json_extract_string(fields, '$.email_verification_score') as double) as score,
        coalesce(
            json_extract_string(payload, '$.data.email'),
            json_extract_string(payload, '$.email'),
            json_extract_string(payload, '$.address')
        ) as named_email
    from {{ ref('stg_answers') }}
    where contains(fields, '"email_status"') and json_extract_string(fields, '$.email_status') is not null

),

found as (

    select
        batch_key,
        item_id,
        position,
        json_extract_string(fields, '$.email') as email
    from {{ ref('stg_answers') }}
    where contains(fields, '"email"') and json_extract_string(fields, '$.email') is not null

),

known as (

    select
        v.*,
        lower(trim(coalesce(v.named_email, f.email, i.email))) as email
    from verdicts as v
    left join {{ source('hq', 'batch_items') }} as i on i.batch_key = v.batch_key and i.item_id = v.item_id
    left join found as f on f.batch_key = v.batch_key and f.item_id = v.item_id and f.position < v.position
    qualify row_number() over (
        partition by v.batch_key, v.item_id, v.workflow_slug order by f.position desc nulls last
    ) = 1

)

select
    client_slug,
    batch_key,
    item_id,
    email,
    workflow_slug as source_workflow,
    provider as source_provider,
    lower(verdict) as verdict,
    case when score > 1 then score / 100 else score end as confidence,
    fetched_at
from known
where email is not null
qualify row_number() over (
    partition by batch_key, item_id, email order by fetched_at desc nulls last, position desc
) = 1
