-- Whoever may change the view asks for it: `store/asked/asked_changes.sql` says what can be asked, and keeps it.
create or replace trigger ask instead of insert or update or delete on fs_prospects
  for each row execute function ask_for_change();
