"""Administering people: accounts, appointments, offices, leaves, and what remains when somebody leaves.

Each act is a pair: a function of a request, which asks who may, and a function on a connection, which writes the act
with its audit event and which the operator's commands use too.
"""
