-- Every value that anyone ever gave for a field of an item: the uploaded cell (for a child item what was emitted, and
-- its parent's company), each workflow, a person's correction.
-- Nothing is decided here; lead_values ranks them by the merge policy.
with uploaded as (

    select
        client_slug,
        batch_key,
        item_id,
        field,
        value,
        created_at as fetched_at
    from (
        unpivot (
            select * exclude (row_number, parent_item_id, origin_key, company_key, original_data, details, rejected)
            from {{ source('hq', 'batch_items') }}
            where parent_item_id is null
        ) on columns(* exclude (client_slug, batch_key, item_id, created_at))
        into name field value value
    )
    where {{ filled('value') }} is not null

),

child_cells as (

    select
        client_slug,
        batch_key,
        item_id,
        field,
        value,
        created_at as fetched_at,
        split_part(origin_key, ':', 1) as workflow_slug,
        {{ filled("json_extract_string(original_data, '$.' || field)") }} is not null as is_own
    from (
        unpivot (
            select * exclude (row_number, parent_item_id, company_key, details, rejected)
            from {{ source('hq', 'batch_items') }}
            where parent_item_id is not null
        ) on columns(* exclude (client_slug, batch_key, item_id, created_at, origin_key, original_data))
        into name field value value
    )
    where {{ filled('value') }} is not null

),

-- What a workflow emitted is its answer; the company of an object that names none is its parent's.
emitted as (

    select c.*, s.provider, s.position
    from child_cells as c
    left join {{ source('hq', 'batch_steps') }} as s on s.batch_key = c.batch_key and s.workflow_slug = c.workflow_slug

),

answers as (

    select
        client_slug,
        batch_key,
        item_id,
        workflow_slug,
        provider,
        position,
        reused_from_batch,
        fetched_at,
        fields,
        unnest(map_entries(try_cast(cast(fields as json) as map(varchar, varchar)))) as e
    from {{ ref('stg_answers') }}
    where fields is not null and fields <> '{}'

),

enriched as (

    select
        client_slug,
        batch_key,
        item_id,
        e.key as field,
        e.value as value,
        workflow_slug,
        provider,
        position,
        reused_from_batch,
        fetched_at,
        case e.key
            when 'email' then json_extract_string(fields, '$.email_score')
            when 'email_status' then json_extract_string(fields, '$.email_verification_score')
            when 'phone' then json_extract_string(fields, '$.phone_confidence')
        end as sureness
    from answers
    where {{ filled('e.value') }} is not null

),

corrected as (

    select
        client_slug,
        batch_key,
        item_id,
        field,
        value,
        edited_by,
        edited_at
    from {{ source('hq', 'item_edits') }}
    qualify row_number() over (partition by batch_key, item_id, field order by edit_id desc) = 1

),

together as (

    select client_slug, batch_key, item_id, field, value, 'upload' as source_kind, null as source_workflow,
        null as source_provider, null as edited_by, -1 as position, null as confidence,
        null as reused_from_batch, fetched_at
    from uploaded
    union all
    select client_slug, batch_key, item_id, field, value, case when is_own then 'workflow' else 'parent' end,
        case when is_own then workflow_slug end, case when is_own then provider end, null,
        case when is_own then position else -1 end, null, null, fetched_at
    from emitted
    union all
    select client_slug, batch_key, item_id, field, value, 'workflow', workflow_slug, provider, null, position,
        case lower(sureness)
            when 'high' then 0.9 when 'medium' then 0.6 when 'low' then 0.3
            else case when try_cast(sureness as double) > 1 then try_cast(sureness as double) / 100 else try_cast(sureness as double) end
        end, reused_from_batch, fetched_at
    from enriched
    union all
    select client_slug, batch_key, item_id, field, value, 'human', null, null, edited_by, 32767, 1.0, null, edited_at
    from corrected

)

select
    t.client_slug,
    t.batch_key,
    t.item_id,
    t.field,
    t.value,
    t.source_kind,
    t.source_workflow,
    t.source_provider,
    t.edited_by,
    cast(t.position as integer) as position,
    cast(coalesce(v.confidence, t.confidence) as double) as confidence,
    case
        when t.field = 'email' and lower(trim(t.value)) in ({% for email in var('placeholder_emails') %}'{{ email }}'{{ ', ' if not loop.last }}{% endfor %}) then 'placeholder'
        else v.verdict
    end as verdict,
    t.reused_from_batch,
    t.fetched_at
from together as t
left join {{ ref('stg_email_verdicts') }} as v
    on t.field = 'email' and v.batch_key = t.batch_key and v.item_id = t.item_id and v.email = lower(trim(t.value))
