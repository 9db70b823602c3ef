{{ config(materialized='table') }}
-- One row per lead that names a company: whose record of the client's it is, over all batches, and why.
--
-- Two leads are at one company where they name the same LinkedIn page, the same account of a provider, or the same name at
-- the same full host; followed along any chain. A host without a name joins where one company alone is known there. A name
-- joins nobody; nor does a mail provider's host, a page on a platform, or the domain above a host.
-- Where one host has companies of several names, or a chain has several pages, nobody is joined by it but who has the same
-- page, or the same name: those records are HOLD.
with recursive leads as materialized (

    select
        l.client_slug,
        l.batch_key,
        l.item_id,
        i.created_at as seen_at,
        l.cost,
        l.company_name,
        concat_ws(' ', l.company_domain, l.company_website) as site,
        l.company_linkedin_url,
        {{ filled_id('l.apollo_account_id') }} as account
    from {{ ref('final_leads') }} as l
    inner join {{ source('hq', 'batch_items') }} as i on i.batch_key = l.batch_key and i.item_id = l.item_id
    where coalesce(l.company_name, l.company_domain, l.company_website, l.company_linkedin_url) is not null

),

-- Each way of naming a company is understood once.
ways as materialized (

    select
        company_name,
        site,
        company_linkedin_url,
        company_name_key(company_name) as name_key,
        company_host(nullif(site, ''), company_name) as host,
        linkedin_company_slug(company_linkedin_url) as page
    from (select distinct company_name, site, company_linkedin_url from leads)

),

named as materialized (

    select
        l.client_slug,
        l.batch_key,
        l.item_id,
        l.seen_at,
        l.cost,
        w.name_key,
        w.host,
        w.page,
        l.account
    from leads as l
    inner join ways as w
        on w.company_name is not distinct from l.company_name and w.site = l.site
        and w.company_linkedin_url is not distinct from l.company_linkedin_url
    where coalesce(w.name_key, w.host, w.page, l.account) is not null

),

-- What companies are named by, each combination once: leads are many, companies few.
companies_named as materialized (

    select client_slug, name_key, host, page, account, row_number() over () as way
    from (select distinct client_slug, name_key, host, page, account from named)

),

keys as materialized (

    select client_slug, way, unnest([
        {'kind': 'page', 'key': page},
        {'kind': 'account', 'key': account},
        {'kind': 'place', 'key': case when name_key is not null then name_key || '@' || host end},
        {'kind': 'host', 'key': host}
    ], recursive := true)
    from companies_named

),

names_at_hosts as (

    select client_slug, host, count(distinct name_key) as names
    from companies_named
    where host is not null
    group by client_slug, host

),

met as materialized (

    select k.client_slug, k.kind, k.key, row_number() over () as key_id
    from keys as k
    left join names_at_hosts as n on n.client_slug = k.client_slug and n.host = {{ only_if("k.kind = 'host'", 'k.key') }}
    where k.key is not null and (k.kind <> 'host' or n.names <= 1)
    group by k.client_slug, k.kind, k.key
    having count(*) > 1

),

joining as materialized (

    select k.way as member, m.key_id
    from keys as k
    inner join met as m on m.client_slug = k.client_slug and m.kind = k.kind and m.key = k.key

),

{{ chains() }},

members as materialized (

    select w.*, c.chain
    from companies_named as w
    left join chained as c on c.member = w.way

),

held as (

    select chain from members where chain is not null group by chain having count(distinct page) > 1

),

-- Companies of several names at one host, of which no page and no account says that they are one.
crowded as (

    select client_slug, host
    from members
    where host is not null
    group by client_slug, host
    having count(distinct name_key) > 1 and count(distinct coalesce(cast(chain as varchar), 'way ' || way)) > 1

),

grouped as materialized (

    select
        m.*,
        case
            when h.chain is not null then 'several LinkedIn pages'
            when r.host is not null then 'several names at one host'
        end as hold_reason,
        case
            when h.chain is not null then 'chain ' || m.chain
            when r.host is not null then m.client_slug || '|' || m.host
        end as held_chain,
        case
            when m.chain is null then 'way ' || m.way
            when h.chain is not null then coalesce(m.page, m.name_key, 'way ' || m.way)
        end as part
    from members as m
    left join held as h on h.chain = m.chain
    left join crowded as r on r.client_slug = m.client_slug and r.host = m.host

),

ids as (

    select
        client_slug,
        chain,
        part,
        'com_' || left(md5(concat_ws(
            '|',
            client_slug,
            min(coalesce('1' || page, '2' || account, '3' || name_key || '@' || host, '4' || host, '5' || name_key)),
            case when any_value(hold_reason) = 'several LinkedIn pages' then part end
        )), 16) as company_id,
        cast((count(page) > 0)::int + (count(account) > 0)::int + (count(host) > 0)::int as integer) as identifier_kinds,
        max(hold_reason) as hold_reason,
        max(held_chain) as held_chain
    from grouped
    group by client_slug, chain, part

)

select
    n.client_slug,
    n.batch_key,
    n.item_id,
    i.company_id,
    i.identifier_kinds,
    case when i.held_chain is not null then 'hold_' || left(md5(min(i.company_id) over (partition by i.held_chain)), 16) end as held_with,
    i.hold_reason,
    n.seen_at,
    n.cost
from named as n
inner join grouped as g
    on g.client_slug = n.client_slug and g.name_key is not distinct from n.name_key and g.host is not distinct from n.host
    and g.page is not distinct from n.page and g.account is not distinct from n.account
inner join ids as i
    on i.client_slug = g.client_slug and i.chain is not distinct from g.chain and i.part is not distinct from g.part
