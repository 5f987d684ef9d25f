"""The composition root: reads the environment, constructs the parts, runs commands.

Nothing imports this package.
"""
