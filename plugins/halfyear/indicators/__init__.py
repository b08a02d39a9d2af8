"""Indicators: half-year figures from the rows of core.

``population`` reads who or what is counted, ``definition`` what an indicator adds to that, both by way of ``select_text``, and
``indicator`` keeps them in the warehouse; ``unit`` reads the units that they are in. ``scan`` writes the statement that asks a source once, ``observation`` takes what
each definition gives from it, and ``computation`` writes down what is due. ``figure`` asks for figures, ``trace`` for the rows
behind one; ``identity`` says whether figures agree with each other, ``audit`` whether they are what their rows give.
``published_figure`` reads what was printed, and ``printed_identity`` says whether that agrees with itself.
"""
