{%- set fields = [
    'company_name', 'company_domain', 'company_website', 'company_linkedin_url', 'company_phone', 'industry',
    'company_employee_count', 'company_annual_revenue', 'company_founded_year', 'company_description',
    'company_technologies', 'apollo_account_id', 'apollo_organization_id', 'homepage_url',
] -%}
-- One row per company of a batch: the leads with one company_key (the pipeline's rule of what the same company is).
-- Each value is that of the first lead that has one.
select
    l.client_slug,
    l.batch_key,
    l.company_key,
    {% for field in fields -%}
    first(l.{{ field }} order by l.item_id) filter (where l.{{ field }} is not null) as {{ field }},
    {% endfor -%}
    cast(count(distinct l.company_name) as integer) as spellings,
    cast(count(*) as integer) as leads,
    cast(sum(l.cost) as decimal(18, 6)) as cost
from {{ ref('final_leads') }} as l
where l.company_key is not null
group by l.client_slug, l.batch_key, l.company_key
