"""The facts: tables, statements and transactions. Knows neither HTTP nor Temporal."""
