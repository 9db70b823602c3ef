-- What each query of a search plan came to, batch by batch: companies, prospects, those of grade A and B, and what they cost.
-- What an item found on the way down belongs to the query that led to it: query, company, prospect.
with items as (

    select
        i.client_slug,
        i.batch_key,
        i.item_id,
        coalesce(
            json_extract_string(i.original_data, '$.discovery_query'), json_extract_string(i.original_data, '$.query')
        ) as query,
        json_extract_string(i.original_data, '$.industry') as industry,
        json_extract_string(i.original_data, '$.region') as region,
        i.parent_item_id is not null and coalesce(i.full_name, i.first_name, i.last_name, i.email) is null as is_company
    from {{ source('hq', 'batch_items') }} as i
    inner join (select distinct batch_key from {{ ref('fs_prospect_records') }}) as b on b.batch_key = i.batch_key

),

costs as (

    select batch_key, item_id, sum(cost) as cost
    from {{ source('hq', 'workflow_states') }}
    group by all

),

counted as (

    select
        i.client_slug,
        i.batch_key,
        i.query,
        min(i.industry) as industry,
        min(i.region) as region,
        count(*) filter (where i.is_company) as companies,
        count(p.item_id) as prospects,
        count(*) filter (where p.ai_qualification_grade = 'A') as grade_a,
        count(*) filter (where p.ai_qualification_grade = 'B') as grade_b,
        cast(sum(c.cost) as decimal(18, 6)) as cost
    from items as i
    left join {{ ref('fs_prospect_records') }} as p on p.batch_key = i.batch_key and p.item_id = i.item_id
    left join costs as c on c.batch_key = i.batch_key and c.item_id = i.item_id
    where i.query is not null
    group by all

)

select
    q.client_slug,
    q.batch_key,
    b.launched_at,
    q.query,
    q.industry,
    q.region,
    q.companies,
    q.prospects,
    q.grade_a,
    q.grade_b,
    q.cost,
    q.cost / nullif(q.grade_a + q.grade_b, 0) as cost_per_qualified
from counted as q
inner join {{ source('hq', 'batches') }} as b on b.batch_key = q.batch_key
