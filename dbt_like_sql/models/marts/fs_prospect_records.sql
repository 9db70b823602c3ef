-- One row per prospect of a batch: an item that names a person or has an address of its own. Companies and queries are none,
-- nor is who was skipped because an earlier batch has them.
-- A phase of the system is reached where one of its steps has found something, at the time when the last one did.
with known as (

    select distinct batch_key, item_id
    from {{ source('hq', 'workflow_states') }}
    where status = 'SKIPPED' and (reason = 'known' or starts_with(reason, 'known:'))

),

prospects as (

    select i.*
    from {{ source('hq', 'batch_items') }} as i
    inner join {{ source('hq', 'batches') }} as b on b.batch_key = i.batch_key and b.system = 'fs'
    left join known as k on k.batch_key = i.batch_key and k.item_id = i.item_id
    where coalesce(i.full_name, i.first_name, i.last_name, i.email) is not null and k.item_id is null

),

phases as (

    select
        s.batch_key,
        s.item_id,
        p.phase,
        max(s.advanced_at) filter (where s.status = 'COMPLETED' and s.outcome = 'found') as reached_at,
        bool_or(s.draft_standing = 'approved') as approved,
        count(*) filter (where s.status in ('PENDING', 'IN_PROGRESS')) as open_steps,
        count(*) filter (where s.status in ('FAILED', 'AMBIGUOUS')) as failed_steps
    from {{ source('hq', 'workflow_states') }} as s
    inner join {{ source('hq', 'batch_steps') }} as p on p.batch_key = s.batch_key and p.workflow_slug = s.workflow_slug
    where p.phase is not null and p.provider <> 'local'
    group by all

),

contacted as (

    select
        batch_key,
        item_id,
        arg_max(value, edit_id) filter (where field = 'prospect_status') = 'contacted' as contacted,
        try_cast(arg_max(value, edit_id) filter (where field = 'email_sent_at') as timestamptz) as email_sent_at
    from {{ source('hq', 'item_edits') }}
    where field in ('prospect_status', 'email_sent_at')
    group by batch_key, item_id

),

reached as (

    select
        batch_key,
        item_id,
        max(reached_at) filter (where phase = 'contact-enrichment') as enriched_at,
        max(reached_at) filter (where phase = 'intelligence') as intelligence_collected_at,
        max(reached_at) filter (where phase = 'qualification') as qualified_at,
        max(reached_at) filter (where phase = 'personalisation') as personalized_at,
        coalesce(bool_or(approved), false) as approved,
        max(open_steps) filter (where phase = 'contact-enrichment') as open_steps,
        max(failed_steps) filter (where phase = 'contact-enrichment') as failed_steps
    from phases
    group by all

),

said as (

    select
        batch_key,
        item_id,
        {% for field in [
            'email', 'phone', 'linkedin_url', 'company_name', 'company_domain', 'company_website', 'company_phone', 'industry',
            'company_employee_count', 'company_annual_revenue', 'company_founded_year', 'company_description',
            'company_technologies', 'company_linkedin_url', 'linkedin_headline', 'linkedin_summary', 'linkedin_experience',
            'title', 'company_overview', 'facts_about_company', 'company_pain_points', 'company_buying_signals', 'lead_score',
            'lead_grade', 'lead_strengths', 'lead_concerns', 'draft_subject', 'draft_body', 'draft_ps', 'linkedin_message',
            'pain_point_analysis', 'recommended_approach',
        ] -%}
        max(value) filter (where field = '{{ field }}') as {{ field }},
        {% endfor -%}
        max(verdict) filter (where field = 'email') as email_verdict
    from {{ ref('final_leads_provenance') }}
    where candidates > 0
    group by all

)

select
    i.client_slug,
    i.batch_key,
    i.item_id,
    coalesce(i.company_domain, v.company_domain, split_part(v.email, '@', 2), 'unknown') || '_' || i.item_id as prospect_id,
    v.email,
    coalesce(v.company_domain, i.company_domain) as company_domain,
    coalesce(v.company_website, i.company_website) as company_website,
    coalesce(i.industry, v.industry) as industry,
    case
        when c.contacted then 'contacted'
        when r.personalized_at is not null then 'personalized'
        when r.qualified_at is not null then 'qualified'
        when r.intelligence_collected_at is not null then 'researched'
        when r.enriched_at is not null then 'enriched'
        else 'discovered'
    end as status,
    coalesce(json_extract_string(i.original_data, '$.discovery_source'), 'upload') as discovery_source,
    json_extract_string(i.original_data, '$.discovery_query') as discovery_query,
    case
        when r.open_steps > 0 then 'pending'
        when r.enriched_at is not null then 'completed'
        when r.failed_steps > 0 then 'failed'
        else 'not_found'
    end as enrichment_status,
    i.created_at as discovered_at,
    v.email is not null and coalesce(v.email_verdict = 'valid', false) as email_verified,
    v.email_verdict as email_verification_status,
    v.phone,
    {{ filled_object([
        ('name', 'v.company_name', 'text'), ('industry', 'v.industry', 'text'), ('employees', 'v.company_employee_count', 'integer'),
        ('annual_revenue', 'v.company_annual_revenue', 'number'), ('founded_year', 'v.company_founded_year', 'integer'),
        ('description', 'v.company_description', 'text'), ('technologies', 'v.company_technologies', 'list'), ('phone', 'v.company_phone', 'text'),
        ('linkedin_url', 'v.company_linkedin_url', 'text'),
    ]) }} as company_intelligence,
    r.enriched_at,
    v.linkedin_url,
    {{ filled_object([
        ('headline', 'v.linkedin_headline', 'text'), ('summary', 'v.linkedin_summary', 'text'), ('experience', 'v.linkedin_experience', 'list'),
    ]) }} as linkedin_profile_data,
    {{ filled_object([
        ('summary', 'v.company_overview', 'text'), ('facts', 'v.facts_about_company', 'list'), ('pain_points', 'v.company_pain_points', 'list'),
        ('buying_signals', 'v.company_buying_signals', 'list'),
    ]) }} as company_research,
    r.intelligence_collected_at,
    try_cast(v.lead_score as integer) as ai_qualification_score,
    v.lead_grade as ai_qualification_grade,
    v.lead_strengths as ai_key_strengths,
    v.lead_concerns as ai_concerns,
    r.qualified_at,
    {{ filled_object([
        ('subject_line', 'v.draft_subject', 'text'), ('email_body', 'v.draft_body', 'text'), ('ps_line', 'v.draft_ps', 'text'),
    ]) }} as email_draft,
    v.linkedin_message as linkedin_draft,
    v.pain_point_analysis,
    v.recommended_approach,
    coalesce(r.personalized_at is not null and v.email_verdict = 'valid' and v.draft_body is not null, false) as ready_for_outreach,
    r.personalized_at,
    coalesce(r.approved, false) and c.email_sent_at is null as approved_for_send,
    c.email_sent_at,
    b.read_at as recorded_at
from prospects as i
left join reached as r on r.batch_key = i.batch_key and r.item_id = i.item_id
left join contacted as c on c.batch_key = i.batch_key and c.item_id = i.item_id
left join {{ source('hq', 'batches') }} as b on b.batch_key = i.batch_key
left join said as v on v.batch_key = i.batch_key and v.item_id = i.item_id
order by i.batch_key, i.item_id
