select
    c.source,
    c.files_waiting,
    c.indicator_codes,
    e.state,
    array_agg(e.expected_on order by e.expected_on) as days_open,
    array_remove(array_agg(e.file_name order by e.expected_on), null) as files_there
from mart.completeness as c
left join mart.expected_delivery as e
    on
        c.period = e.period
        and c.source = e.source
        and e.state not in ('there', 'late')
where c.period = %(period)s and not c.is_complete
group by c.source, c.files_waiting, c.indicator_codes, e.state
order by c.source, e.state
