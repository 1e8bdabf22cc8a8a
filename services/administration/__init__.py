"""What the operator of an installation does, in a transaction of `db.owner`: no person of an office is behind it."""
