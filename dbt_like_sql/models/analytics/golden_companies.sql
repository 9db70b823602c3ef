{{ config(materialized='table') }}
{%- set fields = [
    'company_name', 'company_domain', 'company_website', 'company_linkedin_url', 'company_phone', 'industry',
] -%}
-- One row per company that a client's leads name (`lead_companies` says which leads), with the best value of each field.
-- Which value is best: by the one merge rule (`lead_values`) among the values that the leads show; where the rule decides
-- nothing, the newest.
{{ merged_records(fields, 'company_id', ref('lead_companies'), phone='company_phone') }}

select
    s.client_slug,
    s.company_id,
    case
        when s.held_with is not null then 'HOLD'
        when s.identifier_kinds = 0 then 'LOW'
        when s.identifier_kinds > 1 and not coalesce(
            list_has_any(c.disagreeing, ['company_name', 'company_domain', 'company_linkedin_url']), false
        ) then 'HIGH'
        else 'MEDIUM'
    end as confidence,
    s.hold_reason,
    s.held_with,
    {% for field in fields -%}
    c.{{ field }},
    {% endfor -%}
    cast(to_json(c.disagreeing) as varchar) as sources_disagree,
    s.first_seen_at,
    s.last_seen_at,
    s.batches,
    s.leads,
    s.cost
from seen as s
left join chosen as c on c.record = {{ record_number('s.company_id') }}
