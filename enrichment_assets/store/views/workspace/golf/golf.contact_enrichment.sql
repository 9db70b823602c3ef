-- What is known of each contact, by the columns that the system's users know.
select
    e.contact_id,
    e.course_id,
    e.email,
    e.email_status,
    e.phone,
    e.linkedin_url,
    e.tenure,
    e.previous_clubs,
    e.background,
    e.fetched_at as enriched_at,
    e.client_slug
from contact_enrichment e
