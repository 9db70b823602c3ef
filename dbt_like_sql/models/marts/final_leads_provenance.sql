-- One row per (item, field) that has a value: where the value in final_leads comes from, and how many it beat.
select * exclude (priority, standing, rank, is_bad, is_shown)
from {{ ref('lead_values') }}
where rank = 1 and is_shown
