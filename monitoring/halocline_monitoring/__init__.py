"""Watches what was answered: windows over `serving.outputs`, alarms, drift.

Reads through the guard, per compartment, and never joins two compartments. Does not know who
serves or trains.
"""
