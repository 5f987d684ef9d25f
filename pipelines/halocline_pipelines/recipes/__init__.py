"""What a run does: functions that return frozen configurations."""
