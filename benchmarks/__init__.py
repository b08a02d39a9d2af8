"""Benchmarks: how near Halfyear comes to what the same machine can do at all. Run by ``make bench``.

Every measured thing runs interleaved with its limit, so that a machine that is busy is busy for both. In the order
in which a run meets them: ``__main__`` (the command), ``home`` (a warehouse of its own), ``generate`` (the export),
``delivery`` (our path), ``raw_copy`` (the limit), ``repetition`` and ``measurement``, one module per section, and
``performance_page``, which writes docs/performance.md.
"""
