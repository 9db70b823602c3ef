-- One row per (item, address, who gave it): every address anyone had, with what a verifier said of it.
with further as (

    select
        client_slug,
        batch_key,
        item_id,
        created_at as fetched_at,
        unnest([
            {'column': 'Secondary Email', 'email': json_extract_string(original_data, '$."Secondary Email"')},
            {'column': 'Tertiary Email', 'email': json_extract_string(original_data, '$."Tertiary Email"')}
        ]) as cell
    from {{ source('hq', 'batch_items') }}
    where contains(original_data, 'ary Email"')

),

personal as (

    select
        client_slug,
        batch_key,
        item_id,
        workflow_slug,
        provider,
        fetched_at,
        unnest(from_json(payload, '{"person":{"personal_emails":["VARCHAR"]}}').person.personal_emails) as email
    from {{ ref('stg_answers') }}
    where payload is not null and contains(payload, '"personal_emails"')

),

given as (

    select client_slug, batch_key, item_id, value as email, source_kind, source_workflow, source_provider,
        case source_kind when 'upload' then 'email' end as uploaded_column, confidence, fetched_at
    from {{ ref('stg_field_values') }}
    where field = 'email' and value is not null
    union all
    select client_slug, batch_key, item_id, cell.email, 'upload', null, null, cell.column, null, fetched_at
    from further
    where {{ filled('cell.email') }} is not null
    union all
    select client_slug, batch_key, item_id, email, 'workflow', workflow_slug, provider, null, null, fetched_at
    from personal
    where {{ filled('email') }} is not null

),

kept as (

    select
        *,
        lower(trim(email)) as address
    from given
    qualify row_number() over (
        partition by batch_key, item_id, lower(trim(email)), source_kind, source_workflow
        order by uploaded_column nulls last, confidence desc nulls last
    ) = 1

)

select
    k.client_slug,
    k.batch_key,
    k.item_id,
    k.address as email,
    nullif(split_part(k.address, '@', 2), '') as email_domain,
    k.source_kind,
    k.source_workflow,
    k.source_provider,
    k.uploaded_column,
    k.confidence,
    case
        when k.address in ({% for email in var('placeholder_emails') %}'{{ email }}'{{ ', ' if not loop.last }}{% endfor %}) then 'placeholder'
        else v.verdict
    end as verdict,
    v.source_workflow as verified_by,
    v.fetched_at as verified_at,
    coalesce(lower(trim(p.value)) = k.address, false) as is_chosen,
    k.fetched_at
from kept as k
left join {{ ref('stg_email_verdicts') }} as v
    on v.batch_key = k.batch_key and v.item_id = k.item_id and v.email = k.address
left join {{ ref('final_leads_provenance') }} as p
    on p.batch_key = k.batch_key and p.item_id = k.item_id and p.field = 'email'
