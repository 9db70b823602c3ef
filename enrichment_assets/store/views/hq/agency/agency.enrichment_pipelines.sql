-- Named, ordered slugs; `client` is null for a pipeline that every client has. A waterfall is a list in the list.
select
  p.id,
  p.client_id,
  l.slug as client,
  p.slug as name,
  p.title,
  coalesce(
    (select jsonb_agg(coalesce(s.step -> 'waterfall', s.step) order by s.place)
     from jsonb_array_elements(p.definition -> 'steps') with ordinality as s (step, place)),
    '[]'::jsonb
  ) as workflow_slugs,
  p.created_at
from enrichment_pipelines p
left join clients l on l.id = p.client_id
where p.archived_at is null
