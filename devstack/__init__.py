"""The embedded default: PostgreSQL, Temporal and partners on one machine, out of wheels, for trying and for tests.

Production is `docker-compose.yml` and a Temporal cluster; nothing here is for it.
"""
