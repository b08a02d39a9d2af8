"""Indicators: half-year figures from the rows of core.

``population`` reads who or what is counted, ``definition`` what an indicator adds to that, and ``indicator`` keeps both in
the warehouse. ``computation`` computes what is due; ``figure`` asks for figures, ``trace`` for the rows behind one;
``identity`` says whether figures agree with each other, ``audit`` whether they are what their rows give.
"""
