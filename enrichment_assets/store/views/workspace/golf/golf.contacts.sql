-- The contacts of all courses, by the columns that the system's users know.
select
    c.contact_id as id,
    c.course_id,
    c.name,
    c.title,
    c.fetched_at as created_at,
    c.client_slug
from contacts c
