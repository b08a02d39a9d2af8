"""Terminal: the commands that people type, and what they print. docs/architecture.md says what holds for all of them.

``command`` is the command ``halfyear``; its commands are in ``running``, ``figures``, ``publishing`` and ``administration``,
under one heading each, over ``group`` (the form of the command line), ``options``, ``home``, ``ending`` (errors, a pipe
whose reader leaves) and ``interruption`` (Ctrl-C). ``console`` and ``wrapping`` lay out tables and sentences; with them
``report`` prints a night, ``account`` what became of a file, ``status`` the state of the warehouse, ``file_check`` what a
file would come to, ``figure_table``, ``trace_table`` and ``body_drafts`` what their names say. ``documentation`` writes the
generated pages.
"""
