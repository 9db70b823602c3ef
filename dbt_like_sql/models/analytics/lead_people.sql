{{ config(materialized='table') }}
-- One row per lead that names a person: whose record of the client's it is, over all batches, and why.
--
-- Two leads are one person where they share an address of their own, a LinkedIn page, a provider's id of the person (within
-- its namespace), or a mobile or direct number under one name; followed along any chain. A name joins nobody, nor does an
-- office's mailbox, a switchboard, or an address under which three people of different family names are listed.
-- Where a chain would join two people of different names, or two LinkedIn pages, nobody is joined by it but who has the same
-- page, or the same name: those records are HOLD, and `held_with` is the same for all of the chain.
with recursive leads as materialized (

    select
        l.client_slug,
        l.batch_key,
        l.item_id,
        i.created_at as seen_at,
        l.first_name,
        l.last_name,
        l.full_name,
        l.cost
    from {{ ref('final_leads') }} as l
    inner join {{ source('hq', 'batch_items') }} as i on i.batch_key = l.batch_key and i.item_id = l.item_id
    where coalesce(
            i.first_name, i.last_name, i.full_name, i.title, i.linkedin_url, i.apollo_contact_id, l.first_name, l.last_name,
            l.full_name, l.linkedin_url
        ) is not null
        or person_mailbox(coalesce(i.email, l.email)) is not null

),

corrected as (

    select distinct batch_key, item_id, field
    from {{ ref('lead_values') }}
    where source_kind = 'human'

),

-- What names the lead: the value that counts and the uploaded one, unless a person corrected it.
given as (

    select v.client_slug, v.batch_key, v.item_id, v.field, v.value, v.kind, v.source_workflow
    from {{ ref('lead_values') }} as v
    anti join (select * from corrected) as c
        on c.batch_key = v.batch_key and c.item_id = v.item_id and c.field = v.field and v.source_kind <> 'human'
    where v.value is not null and v.is_shown and not v.is_bad
        and (v.rank = 1 or v.source_kind = 'upload')
        and (v.field in ('email', 'linkedin_url', 'phone') or ends_with(v.field, '_person_id') or ends_with(v.field, '_contact_id'))

),

addresses as (

    select value, person_mailbox(value) as key from (select distinct value from given where field = 'email')

),

pages as (

    select value, linkedin_person_page(value) as key from (select distinct value from given where field = 'linkedin_url')

),

-- Numbers on which somebody is met alone; of those the ones that come twice, with the name under which they stand.
numbers as (

    select g.client_slug, g.batch_key, g.item_id, g.value, person_name_key(l.first_name, l.last_name, l.full_name) as name_key
    from given as g
    inner join leads as l on l.item_id = g.item_id
    where g.field = 'phone' and g.kind in ('mobile', 'direct')
        and (g.client_slug, g.value) in (
            select (client_slug, value) from given where field = 'phone' group by client_slug, value having count(*) > 1
        )

),

switchboards as (

    select client_slug, value from numbers group by client_slug, value having count(distinct name_key) > 1

),

named as (

    select g.client_slug, g.batch_key, g.item_id, 'email' as kind, a.key
    from given as g
    inner join addresses as a on a.value = g.value
    where g.field = 'email'
    union all
    select g.client_slug, g.batch_key, g.item_id, 'linkedin', p.key
    from given as g
    inner join pages as p on p.value = g.value
    where g.field = 'linkedin_url'
    union all
    select g.client_slug, g.batch_key, g.item_id, 'provider_id', coalesce(
        case when starts_with(g.field, 'apollo_') then g.field end,
        {{ id_namespace('s.id_namespace', 's.provider', 'g.source_workflow') }} || ':' || g.field,
        'upload:' || g.field
    ) || ':' || {{ filled_id('g.value') }}
    from given as g
    left join {{ source('hq', 'batch_steps') }} as s on s.batch_key = g.batch_key and s.workflow_slug = g.source_workflow
    where g.field not in ('email', 'linkedin_url', 'phone')
    union all
    select n.client_slug, n.batch_key, n.item_id, 'phone', n.value || ' ' || n.name_key
    from numbers as n
    anti join switchboards as w on w.client_slug = n.client_slug and w.value = n.value
    where n.name_key is not null and not starts_with(n.name_key, '|')

),

keys as materialized (

    select distinct n.client_slug, n.item_id, n.kind, n.key
    from named as n
    semi join leads as l on l.item_id = n.item_id
    where n.key is not null

),

-- A key that one lead alone has joins nobody: most are such, and need no further look.
met as materialized (

    select client_slug, kind, key, row_number() over () as key_id
    from keys
    group by client_slug, kind, key
    having count(*) > 1

),

meetings as materialized (

    select k.item_id, m.kind, m.key_id
    from keys as k
    inner join met as m on m.client_slug = k.client_slug and m.kind = k.kind and m.key = k.key

),

named_so as materialized (

    select distinct n.item_id, l.first_name, l.last_name, l.full_name
    from meetings as n
    inner join leads as l on l.item_id = n.item_id

),

names as materialized (

    select n.item_id, k.name_key
    from named_so as n
    inner join (
        select first_name, last_name, full_name, person_name_key(first_name, last_name, full_name) as name_key
        from (select distinct first_name, last_name, full_name from named_so)
    ) as k
        on k.first_name is not distinct from n.first_name and k.last_name is not distinct from n.last_name
        and k.full_name is not distinct from n.full_name

),

-- An address under which several families are listed is nobody's own, whatever it looks like.
shared as (

    select m.key_id
    from meetings as m
    inner join names as n on n.item_id = m.item_id
    where m.kind = 'email'
    group by m.key_id
    having count(distinct split_part(n.name_key, '|', 2)) > 2

),

own_keys as materialized (

    select k.client_slug, k.item_id, k.kind, k.key
    from keys as k
    anti join (select m.* from met as m inner join shared as s on s.key_id = m.key_id) as o
        on o.client_slug = k.client_slug and o.kind = k.kind and o.key = k.key

),

joining as materialized (

    select item_id as member, key_id
    from meetings
    anti join shared using (key_id)

),

{{ chains() }},

pages_of_leads as (

    select item_id, min(key) as page, count(*) as pages
    from keys
    where kind = 'linkedin'
    group by item_id

),

members as materialized (

    select c.chain, c.member as item_id, n.name_key, p.page, coalesce(p.pages, 0) as pages
    from chained as c
    left join names as n on n.item_id = c.member
    left join pages_of_leads as p on p.item_id = c.member

),

-- Of a chain with many names a few show well enough that they are not one person's.
names_of_chains as (

    select chain, name_key
    from (select distinct chain, name_key from members where name_key is not null)
    qualify count(*) over (partition by chain) > 1 and row_number() over (partition by chain order by name_key) <= 20

),

pairs as (

    select a.chain, a.name_key as one, b.name_key as other
    from names_of_chains as a
    inner join names_of_chains as b on b.chain = a.chain and b.name_key > a.name_key

),

differing as (

    select one, other from (select distinct one, other from pairs) where names_differ(one, other) is not null

),

held as (

    select p.chain, 'names differ' as reason
    from pairs as p
    inner join differing as d on d.one = p.one and d.other = p.other
    group by p.chain
    union all
    select chain, 'several LinkedIn pages' from members group by chain having count(distinct page) > 1 or max(pages) > 1

),

holds as materialized (

    select
        chain,
        string_agg(distinct reason, ', ' order by reason) as hold_reason,
        bool_or(reason = 'names differ') as by_name,
        bool_or(reason = 'several LinkedIn pages') as by_page
    from held
    group by chain

),

-- Whom a lead belongs to: its chain; of a chain that is held its name or its page; without any key nobody but itself.
grouped as materialized (

    select
        l.client_slug,
        l.batch_key,
        l.item_id,
        l.seen_at,
        l.cost,
        h.hold_reason,
        h.chain as held_chain,
        m.chain,
        case
            when m.chain is null then 'item ' || l.item_id
            when h.by_name and h.by_page then coalesce(nullif(concat_ws('|', m.page, m.name_key), ''), 'item ' || l.item_id)
            when h.by_name then coalesce(m.name_key, m.page, 'item ' || l.item_id)
            when h.by_page then coalesce(m.page, m.name_key, 'item ' || l.item_id)
        end as part
    from leads as l
    left join members as m on m.item_id = l.item_id
    left join holds as h on h.chain = m.chain

),

-- The id stays while the surest key is known; of a chain that is held several records may have it, so their part counts too.
ids as (

    select
        g.client_slug,
        g.chain,
        g.part,
        'per_' || left(md5(concat_ws(
            '|',
            g.client_slug,
            coalesce(
                min(case k.kind when 'linkedin' then '1' when 'provider_id' then '2' when 'email' then '3' else '4' end || k.key),
                g.part
            ),
            case when any_value(g.held_chain) is not null then g.part end
        )), 16) as person_id,
        count(distinct k.kind) filter (where k.kind <> 'phone') as identifier_kinds
    from grouped as g
    left join own_keys as k on k.item_id = g.item_id
    group by g.client_slug, g.chain, g.part

)

select
    g.client_slug,
    g.batch_key,
    g.item_id,
    i.person_id,
    cast(i.identifier_kinds as integer) as identifier_kinds,
    case when g.held_chain is not null then 'hold_' || left(md5(min(i.person_id) over (partition by g.held_chain)), 16) end as held_with,
    g.hold_reason,
    g.seen_at,
    g.cost
from grouped as g
inner join ids as i
    on i.client_slug = g.client_slug and i.chain is not distinct from g.chain and i.part is not distinct from g.part
