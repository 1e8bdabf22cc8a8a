"""Statements, one module an aggregate. Each takes the connection of a running transaction; none commits."""
