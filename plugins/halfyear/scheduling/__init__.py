"""Scheduling: what talks to Airflow, and what starts it.

``night`` has the steps of a night, ``publication_steps`` those of a publication, ``replay`` judges again what landing keeps; the
DAGs and the terminal call them. ``judging`` is what a night and a replay do with a file.
``airflow_service`` starts and stops Airflow, and ``scheduler_run`` asks it for a night. For the DAGs there are the URIs of
``asset``, half-years as partition keys (``half_year_partition``), what is tried again (``retries``), inboxes behind a
connection (``storage``), and ``preloaded_airflow``, which starts tasks quickly. No other folder imports Airflow.
"""
