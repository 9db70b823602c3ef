-- One row per way in which a client's data name an organisation: the alias, whose alias it is, and the rule that says so.
--
-- Rules, from sure to cautious:
--   identifier        named together with an identifier of the organisation (provider id, LinkedIn page, Apollo account,
--                     or the same name with the same host): joined however long the chain is
--   only_name         a name without identifier, and exactly one identified organisation has that name
--   only_host         a bare host, and exactly one organisation is known to be at that very host
--   alone             nothing else is known: it is an organisation of its own
--   ambiguous         several organisations have this name or host: it is an alias of each, and joins none
--   joined_by_hand    a person said that two organisations are one, and these are the names of the one of them
--   apart_by_hand     a person said that this alias is an organisation of its own: nothing that it is found with counts
-- Never joined: by part of a name, or by a domain that several organisations share.
with recursive mentions as (

    select
        client_slug,
        name,
        name_key,
        host,
        case when linkedin is not null then 'linkedin:' || linkedin end as linkedin_key,
        provider_id as provider_key,
        case when account_id is not null then 'account:' || account_id end as account_key,
        cast(sum(mentions) as bigint) as mentions
    from {{ ref('organisation_mentions') }}
    group by all

),

keyed as (

    select
        *,
        case when name_key is not null and host is not null then 'at:' || name_key || '@' || host end as place_key
    from mentions

),

-- What people said: of each decision as it was read last.
decided as (

    select client_slug, kind, alias_key, other_key
    from (
        select *
        from {{ source('hq', 'organisation_decisions') }}
        qualify row_number() over (partition by client_slug, decision_id order by read_at desc, batch_key desc) = 1
    )
    where undone_at is null

),

apart as (

    select distinct client_slug, alias_key from decided where kind = 'apart'

),

parted as (

    select
        k.*,
        p.alias_key is not null as provider_apart,
        l.alias_key is not null as linkedin_apart,
        a.alias_key is not null as account_apart,
        n.alias_key is not null as name_apart,
        h.alias_key is not null as host_apart
    from keyed as k
    left join apart as p on p.client_slug = k.client_slug and p.alias_key = k.provider_key
    left join apart as l on l.client_slug = k.client_slug and l.alias_key = k.linkedin_key
    left join apart as a on a.client_slug = k.client_slug and a.alias_key = k.account_key
    left join apart as n on n.client_slug = k.client_slug and n.alias_key = 'name:' || k.name_key
    left join apart as h on h.client_slug = k.client_slug and h.alias_key = 'host:' || k.host

),

-- What stands apart is taken out of the mentions that it is in, and is a mention of its own.
told as (

    select
        client_slug,
        case when not name_apart then name end as name,
        case when not name_apart then name_key end as name_key,
        case when not host_apart then host end as host,
        case when not provider_apart then provider_key end as provider_key,
        case when not linkedin_apart then linkedin_key end as linkedin_key,
        case when not account_apart then account_key end as account_key,
        case when not (name_apart or host_apart) then place_key end as place_key,
        mentions
    from parted
    union all
    select
        client_slug,
        case when part <> 'host' then name end,
        case when part = 'name' then name_key end,
        case when part = 'host' then host end,
        case when part = 'provider' then provider_key end,
        case when part = 'linkedin' then linkedin_key end,
        case when part = 'account' then account_key end,
        null,
        mentions
    from (
        select
            *,
            unnest([
                case when provider_apart then 'provider' end,
                case when linkedin_apart then 'linkedin' end,
                case when account_apart then 'account' end,
                case when name_apart then 'name' end,
                case when host_apart then 'host' end
            ]) as part
        from parted
    )
    where part is not null

),

-- An identifier, linked to the first identifier of the same mention.
links as (

    select distinct
        client_slug,
        unnest([provider_key, linkedin_key, place_key, account_key]) as alias_key,
        coalesce(provider_key, linkedin_key, place_key, account_key) as hub
    from told

),

edges as (

    select client_slug, alias_key as a, hub as b from links where alias_key is not null
    union
    select client_slug, hub, alias_key from links where alias_key is not null

),

-- Each identifier takes the smallest identifier it is linked to, until nothing changes any more.
{{ smallest_linked('labels', 'edges', 'alias_key') }},

identified as (

    select
        k.*,
        l.label
    from told as k
    left join labels as l
        on l.client_slug = k.client_slug
        and l.alias_key = coalesce(k.provider_key, k.linkedin_key, k.place_key, k.account_key)

),

-- A group known by nothing but Apollo accounts is no surer than its name.
groups as (

    select
        client_slug,
        label,
        bool_or(coalesce(provider_key, linkedin_key, place_key) is not null) as is_sure
    from identified
    where label is not null
    group by all

),

owners_of_names as (

    select
        i.client_slug,
        i.name_key,
        count(distinct i.label) as owners,
        min(i.label) as owner
    from identified as i
    inner join groups as g on g.client_slug = i.client_slug and g.label = i.label and g.is_sure
    where i.name_key is not null
    group by all

),

owners_of_hosts as (

    select
        client_slug,
        host,
        count(distinct label) as owners,
        min(label) as owner
    from identified
    where host is not null and label is not null
    group by all

),

settled as (

    select
        i.*,
        case
            when g.is_sure then i.label
            when i.name_key is not null and n.owners = 1 then n.owner
            when i.label is not null then i.label
            when i.name_key is not null then 'name:' || i.name_key
            when h.owners = 1 then h.owner
            when i.host is not null then 'host:' || i.host
        end as organisation_label,
        case
            when g.is_sure then 'identifier'
            when i.name_key is not null and n.owners = 1 then 'only_name'
            when i.name_key is not null and n.owners > 1 then 'ambiguous'
            when i.label is not null then 'identifier'
            when i.name_key is not null then 'alone'
            when h.owners = 1 then 'only_host'
            when h.owners > 1 then 'ambiguous'
            else 'alone'
        end as rule
    from identified as i
    left join groups as g on g.client_slug = i.client_slug and g.label = i.label
    left join owners_of_names as n on n.client_slug = i.client_slug and n.name_key = i.name_key
    left join owners_of_hosts as h on h.client_slug = i.client_slug and h.host = i.host
    where coalesce(i.label, i.name_key, i.host) is not null

),

found as (

    select
        client_slug,
        organisation_label as found_label,
        rule,
        name,
        mentions,
        concat_ws(', ', '"' || left(name, 100) || '"', provider_key, linkedin_key, account_key, host) as evidence,
        unnest([
            {'kind': 'provider_id', 'key': provider_key},
            {'kind': 'linkedin', 'key': linkedin_key},
            {'kind': 'account', 'key': account_key},
            {'kind': 'name', 'key': case when name_key is not null then 'name:' || name_key end},
            {'kind': 'host', 'key': case when host is not null then 'host:' || host end}
        ]) as alias
    from settled

),

-- Organisations that people joined: each takes the smallest label of those that it is joined with.
joins as (

    select distinct d.client_slug, a.found_label as a, b.found_label as b
    from decided as d
    inner join found as a on a.client_slug = d.client_slug and a.alias.key = d.alias_key
    inner join found as b on b.client_slug = d.client_slug and b.alias.key = d.other_key
    where d.kind = 'join' and a.found_label <> b.found_label

),

joined_edges as (

    select client_slug, a, b from joins
    union
    select client_slug, b, a from joins

),

{{ smallest_linked('joined', 'joined_edges', 'found_label') }},

aliases as (

    select
        f.client_slug,
        coalesce(j.label, f.found_label) as organisation_label,
        case
            when p.alias_key is not null then 'apart_by_hand'
            when j.label <> f.found_label then 'joined_by_hand'
            else f.rule
        end as rule,
        f.name,
        f.mentions,
        f.evidence,
        f.alias
    from found as f
    left join joined as j on j.client_slug = f.client_slug and j.found_label = f.found_label
    left join apart as p on p.client_slug = f.client_slug and p.alias_key = f.alias.key

),

ids as (

    select
        client_slug,
        organisation_label,
        'org_' || left(md5(client_slug || '|' || min(
            case alias.kind when 'provider_id' then '1' when 'linkedin' then '2' when 'account' then '3' when 'name' then '4' else '5' end
            || alias.key
        )), 16) as organisation_id
    from aliases
    where alias.key is not null
    group by client_slug, organisation_label

),

together as (

    select
        a.client_slug,
        i.organisation_id,
        a.alias.kind as alias_kind,
        a.alias.key as alias_key,
        first(a.rule order by a.mentions desc, a.evidence) as rule,
        first(a.evidence order by a.mentions desc, a.evidence) as evidence,
        first(a.name order by a.mentions desc, a.name) filter (where a.name is not null) as name,
        cast(sum(a.mentions) as bigint) as mentions
    from aliases as a
    inner join ids as i on i.client_slug = a.client_slug and i.organisation_label = a.organisation_label
    where a.alias.key is not null
    group by all

)

select
    client_slug,
    alias_key,
    alias_kind,
    organisation_id,
    case when count(*) over same_alias > 1 then 'ambiguous' else rule end as rule,
    count(*) over same_alias > 1 as is_ambiguous,
    name,
    evidence,
    mentions
from together
window same_alias as (partition by client_slug, alias_key)
