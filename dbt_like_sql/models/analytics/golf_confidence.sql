-- How sure the figures about courses are: courses by confidence, from 1 to 10. What is not known has no confidence.
with said as (

    select client_slug, batch_key, 'segment' as figure, segment_confidence as confidence from {{ ref('golf_course_facts') }}
    union all
    select client_slug, batch_key, 'water hazards', water_hazard_confidence from {{ ref('golf_course_facts') }}
    union all
    select client_slug, batch_key, 'top opportunity', top_opportunity_score from {{ ref('golf_course_facts') }}

)

select client_slug, batch_key, figure, confidence, count(*) as courses
from said
group by all
