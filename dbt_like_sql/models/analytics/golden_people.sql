{{ config(materialized='table') }}
{%- set fields = [
    'full_name', 'first_name', 'last_name', 'title', 'seniority', 'email', 'phone', 'linkedin_url', 'company_name',
    'company_domain', 'city', 'state', 'country',
] -%}
{%- set field_list = "['" ~ (fields | join("', '")) ~ "']" -%}
-- One row per person whom a client's leads name (`lead_people` says which leads), with the best value of each field.
-- Which value is best: by the one merge rule (`lead_values`) among the values that the leads show; where the rule decides
-- nothing, the newest.
with company_names as (

    select value, company_name_key(value) as key
    from (select distinct value from {{ ref('lead_values') }} where field = 'company_name' and value is not null)

),

given as (

    select
        p.record,
        cast(list_position({{ field_list }}, v.field) as utinyint) as field_number,
        hash(case v.field
                when 'phone' then regexp_replace(v.value, '\D', '', 'g')
                when 'company_name' then coalesce(n.key, lower(v.value))
                else lower(strip_accents(trim(v.value)))
            end) as compared,
        {{ merge_place('v') }} as place,
        v.rank = 1 as is_the_leads
    from (select item_id, {{ record_number('person_id') }} as record from {{ ref('lead_people') }}) as p
    inner join {{ ref('lead_values') }} as v on v.item_id = p.item_id
    left join company_names as n on n.value = {{ only_if("v.field = 'company_name'", 'v.value') }}
    where v.value is not null and v.is_shown and list_contains({{ field_list }}, v.field)

),

-- Numbers alone, so that a million leads need little memory: a place says whose the value is.
best as materialized (

    select
        record,
        field_number,
        min(place) filter (where is_the_leads) as place,
        min(compared) <> max(compared) as disagree
    from given
    group by record, field_number

),

winners as (

    select
        b.record,
        {{ field_list }}[b.field_number] as field,
        {{ item_of_place('b.place') }} as item_id,
        b.disagree
    from best as b

),

chosen as (

    select
        w.record,
        {% for field in fields -%}
        max(v.value) filter (where w.field = '{{ field }}') as {{ field }},
        {% endfor -%}
        max(v.verdict) filter (where w.field = 'email') as email_status,
        list_sort(list(w.field) filter (where w.disagree)) as disagreeing
    from winners as w
    left join {{ ref('lead_values') }} as v on v.item_id = w.item_id and v.field = w.field and v.rank = 1
    group by w.record

),

in_batches as (

    select
        client_slug,
        person_id,
        batch_key,
        max(identifier_kinds) as identifier_kinds,
        max(held_with) as held_with,
        max(hold_reason) as hold_reason,
        min(seen_at) as first_seen_at,
        max(seen_at) as last_seen_at,
        count(*) as leads,
        sum(cost) as cost
    from {{ ref('lead_people') }}
    group by client_slug, person_id, batch_key

),

seen as (

    select
        client_slug,
        person_id,
        max(identifier_kinds) as identifier_kinds,
        max(held_with) as held_with,
        max(hold_reason) as hold_reason,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        cast(to_json(list_sort(list(batch_key))) as varchar) as batches,
        cast(sum(leads) as bigint) as leads,
        cast(sum(cost) as decimal(18, 6)) as cost
    from in_batches
    group by client_slug, person_id

)

select
    s.client_slug,
    s.person_id,
    case
        when s.held_with is not null then 'HOLD'
        when s.identifier_kinds = 0 or coalesce(c.full_name, c.last_name) is null then 'LOW'
        when s.identifier_kinds > 1 and (
            c.email_status = 'valid'
            or not coalesce(list_has_any(c.disagreeing, ['full_name', 'last_name', 'email', 'linkedin_url']), false)
        ) then 'HIGH'
        else 'MEDIUM'
    end as confidence,
    s.hold_reason,
    s.held_with,
    {% for field in fields -%}
    c.{{ field }},
    {% endfor -%}
    c.email_status,
    cast(to_json(c.disagreeing) as varchar) as sources_disagree,
    s.first_seen_at,
    s.last_seen_at,
    s.batches,
    s.leads,
    s.cost
from seen as s
left join chosen as c on c.record = {{ record_number('s.person_id') }}
