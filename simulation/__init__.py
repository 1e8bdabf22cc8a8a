"""What if: the rules of the domain at work in a synthetic regency, without a database and without an engine."""
