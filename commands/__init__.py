"""The `kawal` command, one module a group: read the arguments, call what does the work, show what came of it."""
