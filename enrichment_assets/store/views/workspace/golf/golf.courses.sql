-- The courses, by the columns that the system's users know.
select
    c.course_id as id,
    c.course_name,
    c.state,
    c.status,
    c.failure_reason as error,
    c.website,
    c.phone,
    c.city,
    c.listing_url,
    c.water_hazard_count as water_hazards,
    c.water_hazard_confidence as water_hazards_confidence,
    c.total_cost,
    c.total_seconds as total_time,
    c.fetched_at as enriched_at,
    c.client_slug
from courses c
