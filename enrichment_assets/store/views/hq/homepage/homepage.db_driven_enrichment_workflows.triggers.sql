-- A row that is written becomes a draft, whoever may write: the service that reads drafts checks it like any workflow.
create or replace function homepage.db_driven_enrichment_workflows_changed() returns trigger
language plpgsql security definer set search_path = %path% as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'workflow % is not deleted by SQL: batches that it ran for name it', old.workflow_slug
      using hint = 'Archive it with the command line.', errcode = 'feature_not_supported';
  end if;
  if new.workflow_slug is null or new.provider is null then
    raise exception 'a workflow needs workflow_slug and provider' using errcode = 'not_null_violation';
  end if;
  if tg_op = 'INSERT' then
    if new.status is distinct from null or new.reason is distinct from null then
      raise exception 'status and reason are said by the platform' using errcode = 'invalid_parameter_value';
    end if;
    if exists (select from enrichment_registry r where r.workflow_slug = new.workflow_slug)
        or exists (select from workflow_drafts d where d.workflow_slug = new.workflow_slug) then
      raise exception 'there is a workflow %', new.workflow_slug
        using hint = 'Update its row, or restore it where it is archived.',
        errcode = 'unique_violation';
    end if;
  else
    if new.workflow_slug <> old.workflow_slug then
      raise exception 'a workflow keeps its slug: % would be another one', new.workflow_slug
        using errcode = 'feature_not_supported';
    end if;
    if new.status is distinct from old.status or new.reason is distinct from old.reason then
      raise exception 'status and reason are said by the platform' using errcode = 'invalid_parameter_value';
    end if;
    if new.provider <> old.provider
        and exists (select from enrichment_registry r where r.workflow_slug = new.workflow_slug) then
      raise exception 'workflow % asks %: for another provider insert another workflow', old.workflow_slug, old.provider
        using errcode = 'feature_not_supported';
    end if;
  end if;
  if new.id is distinct from md5('workflow/' || new.workflow_slug)::uuid and new.id is not null then
    raise exception 'the id of a workflow follows from its slug' using hint = 'Leave id out.',
      errcode = 'invalid_parameter_value';
  end if;
  insert into workflow_drafts as d (workflow_slug, title, overall_step_number, provider, destination_db,
    destination_table_name, destination_field_mappings, drafted_by)
  values (new.workflow_slug, new.title, new.overall_step_number, new.provider, new.destination_db,
    new.destination_table_name, new.destination_field_mappings, session_user)
  on conflict (workflow_slug) do update set
    title = excluded.title, overall_step_number = excluded.overall_step_number, provider = excluded.provider,
    destination_db = excluded.destination_db, destination_table_name = excluded.destination_table_name,
    destination_field_mappings = excluded.destination_field_mappings, drafted_by = excluded.drafted_by,
    drafted_at = clock_timestamp(), status = 'draft', reason = null;
  new.id := md5('workflow/' || new.workflow_slug)::uuid;
  new.status := 'draft';
  new.reason := null;
  return new;
end $$;
create or replace trigger becomes_a_draft instead of insert or update or delete on homepage.db_driven_enrichment_workflows
  for each row execute function homepage.db_driven_enrichment_workflows_changed();
revoke all on function homepage.db_driven_enrichment_workflows_changed() from public;
