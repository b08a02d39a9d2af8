"""Halfyear: from the nightly exports of a city's systems to half-year indicator tables.

Every folder is a stage, and its docstring tells what happens there; docs/architecture.md has their order.
"""
