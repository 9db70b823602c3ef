-- As of the view of that name among our tables.
create or replace trigger ask instead of insert or update or delete on fs.fs_prospects
  for each row execute function ask_for_change();
