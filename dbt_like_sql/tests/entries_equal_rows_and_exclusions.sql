-- Every entry of every job history is a row of person_work_history or a counted exclusion.
-- depends on: {{ ref('person_work_history') }}
select * from ({{ entries_and_rows() }}) where expected <> actual
