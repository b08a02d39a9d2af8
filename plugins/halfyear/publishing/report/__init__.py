"""Report: the printed half-year, from the template and the figures in force.

``half_year_report`` fills the template and ``annex`` appends where the figures come from; both make a ``document`` of
paragraphs, tables and charts (``drawing``), which ``docx``, ``xlsx`` and ``markdown`` write.
"""
