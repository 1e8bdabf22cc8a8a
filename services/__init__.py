"""What a person or a client asks for: each a unit of work of its own, committed before anything else is called."""
