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
