-- One row per organisation that a client's data name. The id stays while its surest identifier is known: it is made of
-- the smallest provider id, else the LinkedIn page, the account, the name, the host.
select
    client_slug,
    organisation_id,
    first(o.name order by o.mentions desc, o.name) filter (where o.name is not null) as name,
    cast(to_json(list(distinct alias_key order by alias_key) filter (where alias_kind = 'provider_id')) as varchar) as provider_ids,
    cast(to_json(list(distinct alias_key order by alias_key) filter (where alias_kind = 'linkedin')) as varchar) as linkedin_pages,
    cast(to_json(list(distinct o.name order by o.name) filter (where alias_kind = 'name')) as varchar) as names,
    cast(count(distinct alias_key) filter (where alias_kind = 'host') as integer) as hosts,
    cast(count(distinct alias_key) as integer) as aliases,
    cast(max(o.mentions) as bigint) as mentions
from {{ ref('organisation_aliases') }} as o
group by client_slug, organisation_id
