-- Every education entry is a row of person_education or a counted exclusion.
-- depends on: {{ ref('person_education') }}
select * from ({{ education_entries_and_rows() }}) where expected <> actual
