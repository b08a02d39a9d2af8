"""Core: the history of every record, on both time axes.

``verdict`` says, from all deliveries of a source, which load stands for each day; ``loading`` brings core to that and
marks the half-years that became stale. What is known is a function of the deliveries, not of their order.
"""
