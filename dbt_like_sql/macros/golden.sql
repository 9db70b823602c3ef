{#- Golden records: what the models of people and of companies share. -#}

{#- CTEs from `joining` (member, key_id: keys that several members have) to `chained` (member, chain): members that are
    linked by keys, however long the chain is. Each key takes the smallest key that it is linked to, until nothing
    changes any more. They stand in a `with recursive`. -#}
{% macro chains() -%}
hubs as (

    select member, min(key_id) as hub from joining group by member having count(*) > 1

),

links as materialized (

    select distinct j.key_id as a, h.hub as b
    from joining as j
    inner join hubs as h on h.member = j.member
    where j.key_id <> h.hub

),

edges as materialized (

    select a, b from links
    union all
    select b, a from links

),

labels (key_id, label) using key (key_id) as (

    select a, min(least(a, b)) from edges group by a
    union
    select e.b, min(l.label)
    from labels as l
    inner join edges as e on e.a = l.key_id
    inner join recurring.labels as known on known.key_id = e.b
    where l.label < known.label
    group by e.b

),

chained as materialized (

    select j.member, min(coalesce(l.label, j.key_id)) as chain
    from joining as j
    left join labels as l on l.key_id = j.key_id
    group by j.member

)
{%- endmacro %}

{#- The place of a lead's value `v` of lead_values among those of the other leads of its record, the lowest first: in the
    order of the merge rule, then the newest, then by item. One number, for values are many: a person's correction, a
    bad verdict, the standing of a number, whether the rule is the column's own, its priority, the confidence in
    hundredths, the age in seconds. -#}
{% macro merge_place(v) -%}
(((((
            (cast({{ v }}.source_kind <> 'human' as hugeint) * 2 + cast({{ v }}.is_bad as hugeint))
            * 64 + least(coalesce({{ v }}.standing, 63), 63))
            * 3 + case when {{ v }}.rule = 'no rule' then 2 when starts_with({{ v }}.rule, '* ') then 1 else 0 end)
            * 10000 + least({{ v }}.priority, 9999))
            * 102 + coalesce(100 - cast(round(100 * {{ v }}.confidence) as integer), 101))
            * 100000000000 + greatest(4102444800 - cast(epoch({{ v }}.fetched_at) as bigint), 0))
            * 1000000000000 + {{ v }}.item_id
{%- endmacro %}

{#- The item whose value has a place. -#}
{% macro item_of_place(place) -%}
cast({{ place }} % 1000000000000 as bigint)
{%- endmacro %}

{#- The id of a record (`per_` or `com_` and 16 hexadecimal digits) as a number. -#}
{% macro record_number(id) -%}
cast('0x' || substr({{ id }}, 5) as ubigint)
{%- endmacro %}

{#- CTEs to `chosen` (record: the best value of each field, and the fields in which leads disagree) and `seen` (what the
    batches say of a record), for records whose leads (`leads`) have its id in column `id`. `phone` is the field that is
    compared by its digits. -#}
{% macro merged_records(fields, id, leads, phone) -%}
{%- set field_list = "['" ~ (fields | join("', '")) ~ "']" -%}
with company_names as (

    select value, company_name_key(value) as key
    from (select distinct value from {{ ref('lead_values') }} where field = 'company_name' and value is not null)

),

given as (

    select
        p.record,
        cast(list_position({{ field_list }}, v.field) as utinyint) as field_number,
        hash(case v.field
                when '{{ phone }}' then regexp_replace(v.value, '\D', '', 'g')
                when 'company_name' then coalesce(n.key, lower(v.value))
                else lower(strip_accents(trim(v.value)))
            end) as compared,
        {{ merge_place('v') }} as place,
        v.rank = 1 as is_the_leads
    from (select item_id, {{ record_number(id) }} as record from {{ leads }}) as p
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
        {{ id }},
        batch_key,
        max(identifier_kinds) as identifier_kinds,
        max(held_with) as held_with,
        max(hold_reason) as hold_reason,
        min(seen_at) as first_seen_at,
        max(seen_at) as last_seen_at,
        count(*) as leads,
        sum(cost) as cost
    from {{ leads }}
    group by client_slug, {{ id }}, batch_key

),

seen as (

    select
        client_slug,
        {{ id }},
        max(identifier_kinds) as identifier_kinds,
        max(held_with) as held_with,
        max(hold_reason) as hold_reason,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        cast(to_json(list_sort(list(batch_key))) as varchar) as batches,
        cast(sum(leads) as bigint) as leads,
        cast(sum(cost) as decimal(18, 6)) as cost
    from in_batches
    group by client_slug, {{ id }}

)
{%- endmacro %}
