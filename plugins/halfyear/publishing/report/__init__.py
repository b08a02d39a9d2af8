"""Report: the printed half-year, from the template and the figures in force.

``template`` is the text that a person edits. ``half_year_report`` fills it, in the words of ``wording``, and ``annex``
appends where the figures come from (``source_annex``), how far they can be trusted (``quality_annex``) and who sealed
them (``seal_annex``), each within the ``scope`` of the report. What comes out is a ``document`` of paragraphs, tables
(their values by ``cell``) and charts (``drawing``), which ``docx``, ``xlsx`` and ``markdown`` write.
"""
