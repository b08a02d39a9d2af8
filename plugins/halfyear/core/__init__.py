"""Core: the history of every record, on both time axes.

``ledger`` writes down what arrived and what became of it, ``verdict`` says from all deliveries of a source which load
stands for each day. ``settlement`` brings core to that, a ``change`` of one day after the other: a ``register`` by its
snapshots, an ``event`` by its newest row, and ``half_year`` marks whose figures became due. ``judgement`` says which loads
another contract has judged, and puts new ones in their place. ``lock`` has what waits for what. What is known is a function of the deliveries, not of their order.
"""
