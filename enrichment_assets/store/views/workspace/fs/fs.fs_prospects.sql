-- The same in the system's schema: the prospects of all batches, by the columns that the system's users know.
select
    r.prospect_id,
    r.email,
    r.company_domain,
    r.company_website,
    r.industry,
    case when s.at > r.recorded_at then s.new_value else r.status end as status,
    r.discovery_source,
    r.enrichment_status,
    r.discovered_at,
    r.email_verified,
    r.email_verification_status,
    r.phone,
    r.company_intelligence::jsonb as company_intelligence,
    r.enriched_at,
    r.linkedin_url,
    r.linkedin_profile_data::jsonb as linkedin_profile_data,
    r.company_research::jsonb as company_research,
    r.intelligence_collected_at,
    r.ai_qualification_score,
    r.ai_qualification_grade,
    r.ai_key_strengths::jsonb as ai_key_strengths,
    r.ai_concerns::jsonb as ai_concerns,
    r.qualified_at,
    r.email_draft::jsonb as email_draft,
    r.linkedin_draft,
    r.pain_point_analysis,
    r.recommended_approach,
    r.ready_for_outreach,
    r.personalized_at,
    case when a.at > r.recorded_at then a.new_value::boolean else r.approved_for_send end as approved_for_send,
    r.email_sent_at
from fs_prospect_records r
left join (
    select distinct on (batch_key, item_id) batch_key, item_id, new_value, coalesce(decided_at, 'infinity') as at
    from asked_changes where field = 'status' and state <> 'refused' order by batch_key, item_id, id desc
) s on s.batch_key = r.batch_key and s.item_id = r.item_id
left join (
    select distinct on (batch_key, item_id) batch_key, item_id, new_value, coalesce(decided_at, 'infinity') as at
    from asked_changes where field = 'approved_for_send' and state <> 'refused' order by batch_key, item_id, id desc
) a on a.batch_key = r.batch_key and a.item_id = r.item_id
