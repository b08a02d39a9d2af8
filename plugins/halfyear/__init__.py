"""Halfyear: from the nightly exports of a city's systems to half-year indicator tables.

The modules in the order in which data meets them:

* ``settings``, ``errors``, ``period``, ``contract``: what everything else speaks of
* ``demo``: exports to try it with
* ``inbox``, ``landing``: what arrived, and its bytes, kept once
* ``reading``: one file of any format to typed rows, in a child process
* ``staging``, ``rule``, ``validation`` (with ``expectation``, ``late_import``), ``quarantine``: one load's rows, what Great
  Expectations says of them, and those that break a rule
* ``verdict``, ``loading``: which delivery stands for each day, and core on both time axes
* ``population``, ``definition``, ``indicator``: who is counted, what an indicator adds to that, and both in the warehouse
* ``computation``, ``figure``, ``trace``, ``audit``: half-year figures from their rows, the rows behind one, and whether they agree
* ``reference``, ``bodies``: what rows name and nobody knows, and drafts of the lines that are missing
* ``identity``, ``mart``, ``indicator_table``, ``reconciliation_table``, ``trace_table`` (with ``serialisation``,
  ``spreadsheet``), ``sdmx``: whether figures agree with each other, the views of
  dashboards, tables for people and for statisticians
* ``vintage``, ``proposal``, ``publication``, ``digest``, ``seal``, ``verification``: half-years that are approved, sealed,
  restated and verified; what an approver reads
* ``template``, ``wording``, ``half_year_report``, ``annex``, ``document`` (with ``drawing``, ``docx``, ``markdown``, ``xlsx``),
  ``restatement_note``: what is printed
* ``warehouse``: connections, roles, and everything that is derived from declarations
* ``night``: the steps of a night, called by the DAGs and by ``halfyear ingest``
* ``embedded``, ``airflow_service``, ``scheduler_run``, ``retries``, ``half_year_partition``: PostgreSQL and Airflow
* ``command``, ``report``, ``status``, ``file_check``, ``documentation``: what people type and read
"""
