"""Minutes of villages: recorded, read, printed."""
