"""Mart: what people and dashboards read.

``mart`` makes the views, declared in ``sql/mart/`` or derived from contracts and definitions. ``indicator_table``,
``reconciliation_table`` and ``trace_table`` show figures, what was printed beside them and the rows behind them: on a
terminal, as CSV and JSON (``serialisation``) or as a workbook (``spreadsheet``). ``reference`` and ``bodies`` name what
rows refer to and no list knows.
"""
