"""Report: the printed half-year, from the template and the figures in force.

``template`` is the text that a person edits. ``half_year_report`` fills it, in the words of ``wording``, and ``annex``
appends where the figures come from; both make a ``document`` of paragraphs, tables and charts (``drawing``), which
``docx``, ``xlsx`` and ``markdown`` write.
"""
