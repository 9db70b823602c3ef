{%- set text_fields = [
    'first_name', 'last_name', 'full_name', 'title', 'seniority', 'email', 'phone', 'linkedin_url', 'company_name',
    'company_domain', 'company_website', 'company_linkedin_url', 'company_phone', 'industry', 'city', 'state', 'country',
    'apollo_contact_id', 'apollo_account_id', 'apollo_person_id', 'apollo_organization_id',
    'company_description', 'company_technologies', 'homepage_url',
] -%}
{%- set numbers = ['company_employee_count', 'company_annual_revenue', 'company_founded_year'] -%}
-- One row per item, always, whatever came of it. Every value here is explained in final_leads_provenance.
with chosen as (

    select
        batch_key,
        item_id,
        {% for field in text_fields + numbers -%}
        max(value) filter (where field = '{{ field }}') as {{ field }},
        {% endfor -%}
        max(verdict) filter (where field = 'email') as email_status,
        max(confidence) filter (where field = 'email' and value is not null) as email_confidence,
        max(kind) filter (where field = 'phone' and value is not null) as phone_type,
        max(confidence) filter (where field = 'phone' and value is not null) as phone_confidence,
        cast(to_json(map(
            list(field order by field) filter (where field not in ('{{ (text_fields + numbers) | join("', '") }}')),
            -- Cut text is still text; cut JSON would be nothing.
            list(case when length(value) > 4000 and not json_valid(value) then left(value, 4000) else value end order by field) filter (where field not in ('{{ (text_fields + numbers) | join("', '") }}'))
        )) as varchar) as other_fields
    from {{ ref('final_leads_provenance') }}
    where candidates > 0
    group by batch_key, item_id

),

-- What a register says of the best number, also where that keeps it from being shown.
registers as (

    select batch_key, item_id, do_not_call
    from {{ ref('lead_values') }}
    where field = 'phone' and rank = 1 and do_not_call is not null

),

progress as (

    select
        batch_key,
        item_id,
        cast(count(*) as integer) as steps,
        cast(count(*) filter (where status = 'COMPLETED' and outcome = 'found') as integer) as steps_found,
        cast(count(*) filter (where status = 'COMPLETED' and outcome = 'not_found') as integer) as steps_not_found,
        cast(count(*) filter (where status = 'SKIPPED') as integer) as steps_skipped,
        cast(count(*) filter (where status = 'FAILED') as integer) as steps_failed,
        cast(count(*) filter (where status = 'AMBIGUOUS') as integer) as steps_ambiguous,
        cast(count(*) filter (where status in ('PENDING', 'IN_PROGRESS')) as integer) as steps_open,
        cast(sum(cost) as decimal(18, 6)) as cost,
        max(advanced_at) as last_advanced_at
    from {{ source('hq', 'workflow_states') }}
    group by batch_key, item_id

)

select
    i.client_slug,
    i.batch_key,
    i.item_id,
    i.row_number,
    i.parent_item_id,
    i.company_key,
    {% for field in text_fields -%}
    c.{{ field }},
    {% endfor -%}
    c.phone_type,
    c.phone_confidence,
    r.do_not_call as phone_do_not_call,
    c.email_status,
    c.email_confidence,
    try_cast(c.company_employee_count as bigint) as company_employee_count,
    try_cast(c.company_annual_revenue as double) as company_annual_revenue,
    try_cast(c.company_founded_year as integer) as company_founded_year,
    c.other_fields,
    coalesce(p.steps_open, 0) = 0 as is_finished,
    coalesce(p.steps, 0) as steps,
    coalesce(p.steps_found, 0) as steps_found,
    coalesce(p.steps_not_found, 0) as steps_not_found,
    coalesce(p.steps_skipped, 0) as steps_skipped,
    coalesce(p.steps_failed, 0) as steps_failed,
    coalesce(p.steps_ambiguous, 0) as steps_ambiguous,
    coalesce(p.steps_open, 0) as steps_open,
    coalesce(p.cost, 0) as cost,
    p.last_advanced_at
from {{ source('hq', 'batch_items') }} as i
left join chosen as c on c.batch_key = i.batch_key and c.item_id = i.item_id
left join registers as r on r.batch_key = i.batch_key and r.item_id = i.item_id
left join progress as p on p.batch_key = i.batch_key and p.item_id = i.item_id
order by i.batch_key, i.item_id
