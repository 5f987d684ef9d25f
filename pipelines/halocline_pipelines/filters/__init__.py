"""Rules that refuse a document, one technique a file: pure functions over its signals.

A filter has an `id`, frozen thresholds with their source, and `fault(signals)`: the reason why it
refuses, or None. A signal that is missing is a fault, never a pass.
"""
