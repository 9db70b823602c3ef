{{ config(materialized='table') }}
{%- set fields = [
    'full_name', 'first_name', 'last_name', 'title', 'seniority', 'email', 'phone', 'linkedin_url', 'company_name',
    'company_domain', 'city', 'state', 'country',
] -%}
-- One row per person whom a client's leads name (`lead_people` says which leads), with the best value of each field.
-- Which value is best: by the one merge rule (`lead_values`) among the values that the leads show; where the rule decides
-- nothing, the newest.
{{ merged_records(fields, 'person_id', ref('lead_people'), phone='phone') }}

select
    s.client_slug,
    s.person_id,
    case
        when s.held_with is not null then 'HOLD'
        when s.identifier_kinds = 0 or coalesce(c.full_name, c.last_name) is null then 'LOW'
        when s.identifier_kinds > 1 and (
            c.email_status = 'valid'
            or not coalesce(list_has_any(c.disagreeing, ['full_name', 'last_name', 'email', 'linkedin_url']), false)
        ) then 'HIGH'
        else 'MEDIUM'
    end as confidence,
    s.hold_reason,
    s.held_with,
    {% for field in fields -%}
    c.{{ field }},
    {% endfor -%}
    c.email_status,
    cast(to_json(c.disagreeing) as varchar) as sources_disagree,
    s.first_seen_at,
    s.last_seen_at,
    s.batches,
    s.leads,
    s.cost
from seen as s
left join chosen as c on c.record = {{ record_number('s.person_id') }}
