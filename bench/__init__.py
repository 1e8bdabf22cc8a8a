"""What Kawal costs beside the bare engine: ratios in one run on one machine, never times."""
