"""What a worker does by itself, again and again, beside what the engine asks of it."""
