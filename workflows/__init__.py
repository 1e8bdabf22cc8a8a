"""What carries a case through time: deterministic, small, and ignorant of every rule."""
