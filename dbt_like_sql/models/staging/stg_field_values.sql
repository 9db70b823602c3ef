{%- set contact_fields = [
    'email', 'email_verdict', 'email_confidence', 'email_records', 'phone', 'phone_type', 'phone_status', 'phone_confidence',
    'phone_do_not_call', 'phone_records',
] -%}
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
        ) on columns(* exclude (client_slug, batch_key, item_id, created_at, email, phone))
        into name field value value
    )
    where {{ filled('value') }} is not null

),

-- What the cells say besides: type, country and extension of a number.
uploaded_details as (

    select
        client_slug,
        batch_key,
        item_id,
        parent_item_id,
        split_part(origin_key, ':', 1) as workflow_slug,
        created_at as fetched_at,
        unnest(map_entries(try_cast(cast(details as json) as map(varchar, varchar)))) as e
    from {{ source('hq', 'batch_items') }}
    where details is not null

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
        ) on columns(* exclude (client_slug, batch_key, item_id, created_at, origin_key, original_data, email, phone))
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
        fetched_at
    from answers
    where {{ filled('e.value') }} is not null
        and not list_contains([{% for field in contact_fields %}'{{ field }}'{{ ', ' if not loop.last }}{% endfor %}], e.key)

),

-- An address or number that may become the lead's, with what is known of it.
contacts as (

    select distinct
        client_slug, batch_key, item_id, field, value, source_kind, source_workflow, source_provider, position, confidence,
        record_rank, reused_from_batch, fetched_at
    from {{ ref('stg_contact_records') }}
    where role = 'address' and rejected_reason is null

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
    where field <> 'email_status'
    qualify row_number() over (partition by batch_key, item_id, field order by edit_id desc) = 1

),

-- The uploaded row's own flag is about the person: a number that somebody corrected is not to be called either.
flagged as (

    {{ not_to_be_called() }}

),

-- Only addresses and numbers are judged, and only these and what a person corrected can be one.
judged as (

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
        t.position,
        coalesce(v.confidence, t.confidence) as confidence,
        t.record_rank,
        case when f.word is not null then 'do_not_call' else v.verdict end as verdict,
        coalesce(f.word, v.said) as said,
        case when f.word is not null then 'upload' else v.said_by end as said_by,
        coalesce(v.kind, case when t.field = 'phone' and t.value is not null then 'other' end) as kind,
        coalesce(f.word, v.do_not_call) as do_not_call,
        t.reused_from_batch,
        t.fetched_at
    from (
        select client_slug, batch_key, item_id, field, value, source_kind, source_workflow, source_provider, null as edited_by,
            position, confidence, record_rank, reused_from_batch, fetched_at
        from contacts
        union all
        select client_slug, batch_key, item_id, field, value, 'human', null, null, edited_by, 32767, 1.0, null, null, edited_at
        from corrected
    ) as t
    left join {{ ref('stg_contact_verdicts') }} as v
        on v.batch_key = t.batch_key
        and v.item_id = t.item_id
        and v.field = t.field
        and v.key = {{ only_if("t.field in ('email', 'phone')", contact_key('t.field', 't.value')) }}
    left join flagged as f on f.batch_key = t.batch_key and f.item_id = {{ only_if("t.field = 'phone'", 't.item_id') }}

),

unjudged as (

    select client_slug, batch_key, item_id, field, value, 'upload' as source_kind, null as source_workflow,
        null as source_provider, -1 as position, null as reused_from_batch, fetched_at
    from uploaded
    union all
    select d.client_slug, d.batch_key, d.item_id, d.e.key, d.e.value, case when s.workflow_slug is null then 'upload' else 'workflow' end,
        s.workflow_slug, s.provider, coalesce(s.position, -1), null, d.fetched_at
    from uploaded_details as d
    left join {{ source('hq', 'batch_steps') }} as s
        on s.batch_key = d.batch_key and s.workflow_slug = {{ only_if('d.parent_item_id is not null', 'd.workflow_slug') }}
    where d.e.key <> 'do_not_call'
        and not list_contains([{% for field in contact_fields %}'{{ field }}'{{ ', ' if not loop.last }}{% endfor %}], d.e.key)
        and {{ filled('d.e.value') }} is not null
    union all
    select client_slug, batch_key, item_id, field, value, case when is_own then 'workflow' else 'parent' end,
        case when is_own then workflow_slug end, case when is_own then provider end,
        case when is_own then position else -1 end, null, fetched_at
    from emitted
    union all
    select client_slug, batch_key, item_id, field, value, 'workflow', workflow_slug, provider, position, reused_from_batch,
        fetched_at
    from enriched

),

together as (

    select *
    from judged
    union all
    select
        client_slug, batch_key, item_id, field, value, source_kind, source_workflow, source_provider, null as edited_by, position,
        null as confidence, null as record_rank, null as verdict, null as said, null as said_by, null as kind, null as do_not_call,
        reused_from_batch, fetched_at
    from unjudged

),

-- What an answer about the person says of a company is about the row's only if it names no other one: by the name, and by
-- the host where the row or the answer has no name (`domain.merging.of_same_company`).
named_companies as (

    select
        a.batch_key,
        a.item_id,
        a.workflow_slug,
        coalesce(i.company_name, '') as known_name,
        concat_ws(' ', i.company_domain, i.company_website) as known_site,
        coalesce(json_extract_string(a.fields, '$.company_name'), '') as name,
        coalesce(json_extract_string(a.fields, '$.company_domain'), '') as site
    from {{ ref('stg_answers') }} as a
    inner join {{ source('hq', 'batch_steps') }} as s
        on s.batch_key = a.batch_key and s.workflow_slug = a.workflow_slug and s.entity = 'person'
    inner join {{ source('hq', 'batch_items') }} as i on i.batch_key = a.batch_key and i.item_id = a.item_id
    where contains(a.fields, '"company_name"') or contains(a.fields, '"company_domain"')

),

names as (

    select *, company_name_key(nullif(known_name, '')) as known_key, company_name_key(nullif(name, '')) as key
    from (select distinct known_name, name from named_companies)

),

named as (

    select c.*, n.key <> n.known_key as differs
    from named_companies as c
    inner join names as n on n.known_name = c.known_name and n.name = c.name

),

-- Hosts count where a name is missing, so that few are looked at.
sites as (

    select
        *,
        company_host(nullif(known_site, ''), nullif(known_name, '')) as known_host,
        company_host(nullif(site, ''), null) as host
    from (select distinct known_name, known_site, site from named where differs is null)

),

elsewhere as (

    select batch_key, item_id, workflow_slug from named where differs
    union all
    select n.batch_key, n.item_id, n.workflow_slug
    from named as n
    inner join sites as c on c.known_name = n.known_name and c.known_site = n.known_site and c.site = n.site
    where n.differs is null
        and c.host <> c.known_host
        and not ends_with(c.host, '.' || c.known_host)
        and not ends_with(c.known_host, '.' || c.host)

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
    cast(t.confidence as double) as confidence,
    cast(t.record_rank as double) as record_rank,
    case when e.item_id is not null then 'other_company' else t.verdict end as verdict,
    t.said,
    t.said_by,
    t.kind,
    t.do_not_call,
    t.reused_from_batch,
    t.fetched_at
from together as t
left join elsewhere as e
    on e.batch_key = t.batch_key
    and e.item_id = {{ only_if("starts_with(t.field, 'company_')", 't.item_id') }}
    and e.workflow_slug = t.source_workflow
