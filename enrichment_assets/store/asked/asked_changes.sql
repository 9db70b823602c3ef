-- The queue of what users of the workspace ask to have changed, and the function behind the views that they change.
create table if not exists asked_changes (
  id bigint generated always as identity primary key,
  client_slug text not null,
  batch_key text not null,
  item_id bigint not null,
  field text not null check (field in ('status', 'approved_for_send')),
  old_value text,
  new_value text not null,
  seen jsonb not null,
  asked_by text not null,
  asked_at timestamptz not null default clock_timestamp(),
  state text not null default 'waiting' check (state in ('waiting', 'done', 'refused')),
  reason text,
  decided_at timestamptz
);
create index if not exists ix_asked_changes_waiting on asked_changes (id) where state = 'waiting';
create index if not exists ix_asked_changes_item on asked_changes (batch_key, item_id, field, id);

-- Behind an INSTEAD OF trigger of a view of prospects. It runs as its owner, for whoever asks may write into no table; only
-- rows that the asker sees come here, since the view reads as whoever asks it. `pg_temp` is searched last: a temporary table
-- of the asker's must not stand for ours.
create or replace function ask_for_change() returns trigger
language plpgsql security definer set search_path from current as $$
declare
  given jsonb;
  had jsonb;
  name text;
  prospect fs_prospect_records;
  can constant text := 'Only status (to contacted) and approved_for_send can be changed, with UPDATE.';
begin
  perform set_config('search_path', current_setting('search_path') || ', pg_temp', true);
  if tg_op <> 'UPDATE' then
    raise exception '% is made of what batches found: no row of it is added or deleted', tg_table_name
      using errcode = 'feature_not_supported', hint = can;
  end if;
  given := to_jsonb(new);
  had := to_jsonb(old);
  for name in select key from jsonb_each(given) where value is distinct from had -> key order by key loop
    if name not in ('status', 'approved_for_send') then
      raise exception 'column % of % cannot be changed', name, tg_table_name
        using errcode = 'feature_not_supported', hint = can;
    end if;
  end loop;
  if new.status is distinct from old.status and new.status is distinct from 'contacted' then
    raise exception 'status cannot become %: it follows from what was found', coalesce(quote_literal(new.status), 'null')
      using errcode = 'check_violation', hint = can;
  end if;
  if new.approved_for_send is null then
    raise exception 'approved_for_send is true or false' using errcode = 'check_violation', hint = can;
  end if;
  if new.approved_for_send and not coalesce(old.approved_for_send, false)
      and old.email_draft is null and old.linkedin_draft is null then
    raise exception 'prospect % has no draft that could be approved', old.prospect_id
      using errcode = 'check_violation', hint = can;
  end if;
  select r.* into strict prospect from fs_prospect_records r where r.prospect_id = old.prospect_id;
  insert into asked_changes (client_slug, batch_key, item_id, field, old_value, new_value, seen, asked_by)
  select prospect.client_slug, prospect.batch_key, prospect.item_id, c.field, c.old_value, c.new_value,
         jsonb_build_object('email_draft', to_jsonb(old.email_draft), 'linkedin_draft', old.linkedin_draft), session_user
  from (values ('status', old.status, new.status),
               ('approved_for_send', old.approved_for_send::text, new.approved_for_send::text))
    as c (field, old_value, new_value)
  where c.old_value is distinct from c.new_value;
  return new;
end $$;
revoke execute on function ask_for_change() from public;
