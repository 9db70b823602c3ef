-- The golden records of people by the name that one thinks of first. In a workspace that name is often taken by a table of its
-- owner's, so it is `golden_people` that is published.
select * from {{ ref('golden_people') }}
