"""Scheduling: what talks to Airflow, and what starts it.

``night`` has the steps of a night and of a publication, which the DAGs and the terminal call. ``airflow_service`` starts and
stops Airflow, ``scheduler_run`` asks it for a night; ``half_year_partition`` makes half-years partition keys,
``retries`` says what is tried again, and ``preloaded_airflow`` starts tasks quickly. No other folder imports Airflow.
"""
