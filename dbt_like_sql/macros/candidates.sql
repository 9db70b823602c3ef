{#- The rows of `email_candidates` and `phone_candidates`: every address or number that anyone had for an item, one row a
    source, with what counts of it and why it is not the one that final_leads shows. -#}
{% macro contact_candidates(field) -%}
with given as (

    select
        client_slug, batch_key, item_id, value, key, role, rejected_reason, source_kind, source_workflow, source_provider,
        uploaded_column, confidence, record_rank, type, status, sub_status, fetched_at
    from {{ ref('stg_contact_records') }}
    where field = '{{ field }}'
    union all
    select
        client_slug, batch_key, item_id, value, {{ contact_key("'" ~ field ~ "'", 'value') }}, 'address', null, source_kind, null,
        null, null, confidence, null, null, null, null, fetched_at
    from {{ ref('stg_field_values') }}
    where field = '{{ field }}' and source_kind = 'human' and value is not null

),

-- Who judges an address that somebody gave is named beside it; only where nobody gave it is there a row of his.
offered as (

    select *
    from given
    qualify role <> 'verdict' or bool_and(role = 'verdict') over (partition by batch_key, item_id, key)

),

kept as (

    select *
    from offered
    qualify row_number() over (
        partition by batch_key, item_id, key, source_kind, source_workflow
        order by role <> 'address', rejected_reason is not null, confidence desc nulls last, record_rank nulls last,
            uploaded_column nulls last, value, status
    ) = 1

)

select
    k.client_slug,
    k.batch_key,
    k.item_id,
    k.value,
    k.source_kind,
    k.source_workflow,
    k.source_provider,
    k.uploaded_column,
    k.confidence,
    cast(k.record_rank as double) as record_rank,
    k.type as said_type,
    v.kind,
    v.verdict,
    v.said,
    v.said_by,
    v.said_at,
    v.do_not_call,
    v.sources_disagree,
    v.finders,
    v.is_confirmed,
    coalesce(p.key = k.key, false) as is_chosen,
    case
        when p.key = k.key then null
        when k.rejected_reason is not null then k.rejected_reason
        when not coalesce(d.is_shown, true) then v.verdict
        when k.role = 'verdict' then 'only_judged'
        when k.role = 'candidate' then 'kept_beside'
        when d.is_bad then v.verdict
        else 'outranked'
    end as why_not,
    k.fetched_at
from kept as k
left join {{ ref('stg_contact_verdicts') }} as v
    on v.batch_key = k.batch_key and v.item_id = k.item_id and v.field = '{{ field }}' and v.key = k.key
left join {{ ref('value_verdicts') }} as d on d.verdict = v.verdict
left join (
    select batch_key, item_id, {{ contact_key("'" ~ field ~ "'", 'value') }} as key
    from {{ ref('final_leads_provenance') }}
    where field = '{{ field }}'
) as p
    on p.batch_key = k.batch_key and p.item_id = k.item_id
{%- endmacro %}
