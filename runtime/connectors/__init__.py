"""Clients of the partners outside Kawal: the civil registry and the Ministry's gateway."""
