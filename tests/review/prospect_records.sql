-- The published records of prospects, as far as the view over them reads them.
create table fs_prospect_records (
  client_slug text, batch_key text, item_id bigint, prospect_id text, email text, company_domain text, company_website text,
  industry text, status text, discovery_source text, discovery_query text,
  enrichment_status text, discovered_at timestamptz, email_verified boolean,
  email_verification_status text, phone text, company_intelligence text, enriched_at timestamptz, linkedin_url text,
  linkedin_profile_data text, company_research text, intelligence_collected_at timestamptz, ai_qualification_score integer,
  ai_qualification_grade text, ai_key_strengths text, ai_concerns text, qualified_at timestamptz, email_draft text,
  linkedin_draft text, pain_point_analysis text, recommended_approach text, ready_for_outreach boolean,
  personalized_at timestamptz, approved_for_send boolean, email_sent_at timestamptz, recorded_at timestamptz
);
