{{ config(materialized='table') }}
-- Every way in which a batch names an organisation, with how often: the evidence that organisations are made of.
with answered as (

    select
        client_slug,
        batch_key,
        workflow_slug,
        provider,
        from_json(payload, '{"organization":{"id":"VARCHAR","name":"VARCHAR","website_url":"VARCHAR","linkedin_url":"VARCHAR"},"person":{"organization":{"id":"VARCHAR","name":"VARCHAR","website_url":"VARCHAR","linkedin_url":"VARCHAR"}}}') as d
    from {{ ref('stg_answers') }}
    where payload is not null and contains(payload, '"organization"')

),

named as (

    select client_slug, batch_key, case when parent_item_id is null then 'upload' else split_part(origin_key, ':', 1) end as source,
        company_name as name, null as provider_id,
        coalesce(company_website, company_domain) as website, company_linkedin_url as linkedin_url, apollo_account_id as account_id
    from {{ source('hq', 'batch_items') }}
    union all
    select client_slug, batch_key, workflow_slug, d.organization.name, provider || ':' || d.organization.id,
        d.organization.website_url, d.organization.linkedin_url, null
    from answered
    where d.organization is not null
    union all
    select client_slug, batch_key, workflow_slug, d.person.organization.name, provider || ':' || d.person.organization.id,
        d.person.organization.website_url, d.person.organization.linkedin_url, null
    from answered
    where d.person.organization is not null
    union all
    select client_slug, batch_key, source_workflow, organisation_name,
        source_provider || ':' || case when length(provider_organisation_id) <= 200 then provider_organisation_id end, null, null, null
    from {{ ref('person_work_history') }}

),

counted as (

    select
        client_slug,
        batch_key,
        source,
        {{ filled('name') }} as name,
        provider_id,
        {{ filled('website') }} as website,
        {{ filled('linkedin_url') }} as linkedin_url,
        {{ filled('account_id') }} as account_id,
        count(*) as mentions
    from named
    group by all

),

keyed as (

    select
        *,
        {{ host_of('website') }} as website_host,
        case when regexp_full_match(trim(name), '\S+\.\S+') then {{ host_of('name') }} end as host_as_name,
        {{ linkedin_company('linkedin_url') }} as linkedin,
        case when contains(name, 'linkedin.com/') then {{ linkedin_company('name') }} end as linkedin_as_name
    from counted

)

select
    client_slug,
    batch_key,
    source,
    name,
    case when host_as_name is null and linkedin_as_name is null then {{ organisation_name_key('name') }} end as name_key,
    left(coalesce(website_host, host_as_name), 253) as host,
    left(coalesce(linkedin, linkedin_as_name), 200) as linkedin,
    provider_id,
    left(account_id, 200) as account_id,
    mentions
from keyed
where coalesce(name, provider_id, website, linkedin_url, account_id) is not null
