"""Mart: what people and dashboards read.

``mart`` makes the views, declared in ``sql/mart/`` or derived from contracts and definitions; ``table`` shows figures,
reconciliations and traces as CSV, JSON or workbook (``spreadsheet``); ``reference`` and ``bodies`` name what
rows refer to and no list knows.
"""
