"""Terminal: the commands that people type, and what they print.

``command`` has the commands; ``report`` prints a night, ``status`` the state of the warehouse, ``file_check`` what a file
would come to, and ``documentation`` writes the generated pages.
"""
