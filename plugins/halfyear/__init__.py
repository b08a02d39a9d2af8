"""Halfyear."""
