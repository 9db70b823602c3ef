"""Views of systems: tables by the names and columns that a system's users know, over tables of ours that differ.

A file `<database>/<system>/<schema>.<name>.sql` is the SELECT of one view; without a schema the view stands where our
tables are. The schemas are made where our role may make them. A file `<schema>.<name>.triggers.sql` beside it has what
makes the view writable, as statements that may be run again; `%path%` in it is the search_path.

All views are `security_invoker`: row level security holds for whoever asks. HQ's are made when it is migrated, the
workspace's when a batch of the system is published.
"""
