"""Policies: drafted, consulted on, published by somebody else as numbered versions that never change, and compared."""
