"""One module of commands per component; what is heavy is imported when a command runs."""
