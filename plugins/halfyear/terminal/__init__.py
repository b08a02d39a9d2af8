"""Terminal: the commands that people type, and what they print.

``command`` is the command ``halfyear``; its commands are in ``running``, ``figures``, ``publishing`` and ``administration``,
under one heading each, over ``group`` (the form of the command line), ``options`` and ``home``. ``report`` prints a
night, ``status`` the state of the warehouse, ``file_check`` what a file would come to, and ``documentation`` writes the
generated pages.
"""
