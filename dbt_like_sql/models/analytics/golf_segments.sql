-- How many courses are of which segment, with how sure that is; a course that was not assessed has none.
select
    client_slug,
    batch_key,
    coalesce(segment, 'not assessed') as segment,
    count(*) as courses,
    count(*) / sum(count(*)) over (partition by client_slug, batch_key) as share,
    avg(segment_confidence) as average_confidence,
    cast(sum(contacts) as bigint) as contacts
from {{ ref('golf_course_facts') }}
group by client_slug, batch_key, coalesce(segment, 'not assessed')
