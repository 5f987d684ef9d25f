"""What an auditor does with the journal: find in it, hand parts of it out, project it, watch it.

Reads through the format alone; what it finds is as true as `journal.verify` says the journal is.
"""
