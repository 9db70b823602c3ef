-- How the opportunities of courses are scored. One that an answer names twice counts by its higher score.
with named as (

    select
        client_slug,
        batch_key,
        item_id,
        top_opportunity,
        unnest(from_json(opportunities, '[{"opportunity":"VARCHAR","score":"INTEGER"}]')) as o
    from {{ ref('golf_course_facts') }}
    where opportunities is not null

),

scored as (

    select client_slug, batch_key, item_id, top_opportunity, o.opportunity as opportunity, max(o.score) as score
    from named
    where o.opportunity is not null and o.score is not null
    group by all

)

select
    client_slug,
    batch_key,
    opportunity,
    count(*) as courses,
    avg(score) as average_score,
    count(*) filter (where score >= 7) as strong,
    count(*) filter (where opportunity = top_opportunity) as top
from scored
group by client_slug, batch_key, opportunity
