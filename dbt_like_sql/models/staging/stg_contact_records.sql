{{ config(materialized='table') }}
-- One row per e-mail address or phone number that anybody gave or judged, with that source's own words about it: the
-- records of every answer, of the uploaded row (`details`) and of an emitted object, and what came back of mail to it.
-- `verdict` and `kind` are our words.
with uploaded as (

    select
        client_slug,
        batch_key,
        item_id,
        'upload' as source_kind,
        null as source_workflow,
        null as source_provider,
        -1 as position,
        null as reused_from_batch,
        created_at as fetched_at,
        from_json(coalesce(details, '{}'), '{{ contact_document() }}') as d,
        email,
        phone
    from {{ source('hq', 'batch_items') }}
    where parent_item_id is null

),

emitted as (

    select
        i.client_slug,
        i.batch_key,
        i.item_id,
        'workflow' as source_kind,
        s.workflow_slug as source_workflow,
        s.provider as source_provider,
        s.position,
        null as reused_from_batch,
        i.created_at as fetched_at,
        from_json(i.original_data, '{{ contact_document() }}') as d,
        i.email,
        i.phone
    from {{ source('hq', 'batch_items') }} as i
    left join {{ source('hq', 'batch_steps') }} as s
        on s.batch_key = i.batch_key and s.workflow_slug = split_part(i.origin_key, ':', 1)
    where i.parent_item_id is not null

),

answered as (

    select
        client_slug,
        batch_key,
        item_id,
        'workflow' as source_kind,
        workflow_slug as source_workflow,
        provider as source_provider,
        position,
        reused_from_batch,
        fetched_at,
        from_json(fields, '{{ contact_document() }}') as d,
        json_extract_string(fields, '$.email') as email,
        json_extract_string(fields, '$.phone') as phone
    from {{ ref('stg_answers') }}
    where contains(fields, '"email') or contains(fields, '"phone')

),

-- The cell itself counts as it is in the item's column; what else the row says of it is in `d`.
documents as (

    select * from uploaded
    union all
    select * from emitted
    union all
    select * from answered

),

records as (

    select * exclude (d, email, phone), 'email' as field, unnest({{ email_records_of('d', 'email') }}) as r from documents
    union all
    select * exclude (d, email, phone), 'phone', unnest({{ phone_records_of('d', 'phone') }}) from documents

),

-- What came back of mail to an address, which the correction names in its note.
told as (

    select
        client_slug,
        batch_key,
        item_id,
        'human' as source_kind,
        cast(null as varchar) as source_workflow,
        cast(null as varchar) as source_provider,
        32767 as position,
        cast(null as varchar) as reused_from_batch,
        edited_at as fetched_at,
        'email' as field,
        note as value,
        value as status,
        cast(null as varchar) as sub_status,
        cast(null as double) as confidence,
        cast(null as varchar) as type,
        cast(null as double) as record_rank,
        cast(null as varchar) as do_not_call,
        'verdict' as role,
        cast(null as varchar) as rejected_reason,
        cast(null as varchar) as uploaded_column
    from {{ source('hq', 'item_edits') }}
    where field = 'email_status' and value is not null and note is not null

),

listed as (

    select
        client_slug,
        batch_key,
        item_id,
        source_kind,
        source_workflow,
        source_provider,
        position,
        reused_from_batch,
        fetched_at,
        field,
        r.value as value,
        r.status as status,
        r.sub_status as sub_status,
        r.confidence as confidence,
        r.type as type,
        r.record_rank as record_rank,
        r.do_not_call as do_not_call,
        r.role as role,
        r.rejected_reason as rejected_reason,
        r.uploaded_column as uploaded_column
    from records
    union all
    select * from told

),

-- What the words mean: looked up once for each distinct way of saying it.
said as (

    select distinct field, status, sub_status, type, do_not_call from listed

),

means as (

    select
        s.*,
        case s.field
            when 'phone' then case
                when s.do_not_call is not null and trim(s.do_not_call) <> '' and d.word is null then 'do_not_call'
                when v.means in ('valid', 'invalid_number') then v.means
            end
            else case
                when v.means is null then nullif(lower(trim(s.status)), '')
                when worse.severity < own.severity then c.means
                else v.means
            end
        end as verdict,
        case when s.field = 'phone' then coalesce(t.means, 'other') end as kind
    from said as s
    left join {{ ref('contact_words') }} as v
        on v.kind = case s.field when 'email' then 'email_verdict' else 'phone_status' end and v.word = {{ folded_word('s.status') }}
    left join {{ ref('contact_words') }} as c
        on c.kind = 'email_sub_verdict' and c.word = {{ only_if("s.field = 'email'", folded_word('s.sub_status')) }}
    left join {{ ref('contact_words') }} as t
        on t.kind = 'phone_type' and t.word = {{ only_if("s.field = 'phone'", folded_word('s.type')) }}
    left join {{ ref('contact_words') }} as d
        on d.kind = 'do_not_call' and d.word = {{ only_if("s.field = 'phone'", folded_word('s.do_not_call')) }}
    left join {{ ref('value_verdicts') }} as own on own.verdict = v.means
    left join {{ ref('value_verdicts') }} as worse on worse.verdict = c.means

)

select
    l.client_slug,
    l.batch_key,
    l.item_id,
    l.field,
    l.value,
    {{ contact_key('l.field', 'l.value') }} as key,
    l.role,
    l.rejected_reason,
    case
        when l.field = 'email' and lower(trim(l.value)) in ({% for email in var('placeholder_emails') %}'{{ email }}'{{ ', ' if not loop.last }}{% endfor %}) then 'placeholder'
        else m.verdict
    end as verdict,
    m.kind,
    l.status,
    l.sub_status,
    l.type,
    l.do_not_call,
    l.confidence,
    l.record_rank,
    l.uploaded_column,
    l.source_kind,
    l.source_workflow,
    l.source_provider,
    cast(l.position as integer) as position,
    l.reused_from_batch,
    l.fetched_at
from listed as l
inner join means as m
    on m.field = l.field
    and m.status is not distinct from l.status
    and m.sub_status is not distinct from l.sub_status
    and m.type is not distinct from l.type
    and m.do_not_call is not distinct from l.do_not_call
where l.value is not null
