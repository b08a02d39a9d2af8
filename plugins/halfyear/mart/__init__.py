"""Mart: what people and dashboards read.

``mart`` makes the views, declared in ``sql/mart/`` or derived from contracts and definitions. ``indicator_table`` and
``reconciliation_table`` have figures, and what was printed beside them, as CSV and JSON (``serialisation``) or as a workbook
(``spreadsheet``). ``reference`` and ``bodies`` name what rows refer to and no list knows.
"""
