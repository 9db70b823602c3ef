{{ config(materialized='table') }}
-- Every way in which a batch names an organisation, with how often: the evidence that organisations are made of.
{%- set one = '{"id":"VARCHAR","name":"VARCHAR","website_url":"VARCHAR","website":"VARCHAR","domain":"VARCHAR","primary_domain":"VARCHAR","linkedin_url":"VARCHAR","linkedin":"VARCHAR"}' %}
{%- set both = '"organization":' ~ one ~ ',"company":' ~ one %}
{%- set places = ['organization', 'company', 'person.organization', 'person.company', 'data.organization', 'data.company'] %}
with answered as (

    select
        client_slug,
        batch_key,
        workflow_slug,
        id_namespace,
        from_json(payload, '{{ '{' }}{{ both }},"person":{{ '{' }}{{ both }}{{ '}' }},"data":{{ '{' }}{{ both }}{{ '}}' }}') as d
    from {{ ref('stg_answers') }}
    where payload is not null and (contains(payload, '"organization"') or contains(payload, '"company"'))

),

-- What a workflow itself says is the company: the fields that it provides.
provided as (

    select
        client_slug,
        batch_key,
        workflow_slug,
        from_json(fields, '{"company_name":"VARCHAR","company_domain":"VARCHAR","company_website":"VARCHAR","company_linkedin_url":"VARCHAR"}') as f
    from {{ ref('stg_answers') }}
    where fields is not null and contains(fields, '"company_')

),

named as (

    select client_slug, batch_key, case when parent_item_id is null then 'upload' else split_part(origin_key, ':', 1) end as source,
        company_name as name, null as provider_id,
        concat_ws(' ', company_domain, company_website) as website, company_linkedin_url as linkedin_url, apollo_account_id as account_id
    from {{ source('hq', 'batch_items') }}
    union all
    select client_slug, batch_key, workflow_slug, f.company_name, null,
        concat_ws(' ', f.company_domain, f.company_website), f.company_linkedin_url, null
    from provided
    where coalesce(f.company_name, f.company_domain, f.company_website, f.company_linkedin_url) is not null
    {%- for place in places %}
    {%- set o = 'd.' ~ place %}
    union all
    select client_slug, batch_key, workflow_slug, {{ o }}.name, id_namespace || ':' || {{ filled_id(o ~ '.id') }},
        concat_ws(' ', {{ o }}.website_url, {{ o }}.website, {{ o }}.primary_domain, {{ o }}.domain), coalesce({{ o }}.linkedin_url, {{ o }}.linkedin), null
    from answered
    where {{ o }} is not null
    {%- endfor %}
    union all
    select client_slug, batch_key, source_workflow, organisation_name, case when not starts_with(organisation_key, 'name:') then organisation_key end,
        null, null, null
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
        {{ filled_id('account_id') }} as account_id,
        count(*) as mentions,
        count(coalesce(name, provider_id, website, linkedin_url, account_id)) as told
    from named
    group by all

),

keyed as (

    select
        *,
        company_host(website, name) as website_host,
        case when regexp_full_match(trim(name), '\S+\.\S+') then company_host(name, name) end as host_as_name,
        linkedin_company_slug(linkedin_url) as linkedin,
        case when contains(lower(name), 'linkedin.com/') then linkedin_company_slug(name) end as linkedin_as_name,
        company_name_key(name) as name_as_name
    from counted

)

select
    client_slug,
    batch_key,
    source,
    name,
    case when host_as_name is null and linkedin_as_name is null then name_as_name end as name_key,
    left(coalesce(website_host, host_as_name), 253) as host,
    left(coalesce(linkedin, linkedin_as_name), 200) as linkedin,
    provider_id,
    account_id,
    mentions
from keyed
where told > 0
