-- What was made of each course, by the columns that the system's users know.
select
    b.course_id,
    b.segment,
    b.segment_confidence,
    b.range_intel,
    b.opportunities,
    b.conversation_starters,
    b.fetched_at as created_at,
    b.client_slug
from business_intelligence b
