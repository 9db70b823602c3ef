-- The registry as the plays' users know it: a row per workflow, and where its results go.
select
  md5('workflow/' || coalesce(d.workflow_slug, r.workflow_slug))::uuid as id,
  coalesce(d.workflow_slug, r.workflow_slug) as workflow_slug,
  case when d.id is null then r.title else d.title end as title,
  case when d.id is null then r.overall_step_number else d.overall_step_number end as overall_step_number,
  case when d.id is null then r.provider else d.provider end as provider,
  case when d.id is null then r.destination_db else d.destination_db end as destination_db,
  case when d.id is null then r.destination_table_name else d.destination_table_name end as destination_table_name,
  case when d.id is null then m.mappings else d.destination_field_mappings end as destination_field_mappings,
  case when d.id is not null then d.status when r.enabled then 'active' else 'switched off' end as status,
  d.reason
from (select * from enrichment_registry where archived_at is null) r
full join workflow_drafts d on d.workflow_slug = r.workflow_slug
left join lateral (
  select jsonb_object_agg(s.source, case when s.times = 1 then s.columns -> 0 else s.columns end) as mappings
  from (
    select
      regexp_replace(c.value ->> 'from', '^fields[.](?=\w+$)', '') as source,
      count(*) as times,
      jsonb_agg(
        case
          when c.value ->> 'type' = 'text' then to_jsonb(c.key)
          else jsonb_build_object('column', c.key, 'type', c.value ->> 'type')
        end
        order by c.key
      ) as columns
    from jsonb_each(r.destination_field_mappings) c
    group by 1
  ) s
) m on true
