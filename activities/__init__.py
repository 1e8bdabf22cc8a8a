"""What a workflow asks of the world: each activity is one transaction, or one call to a partner."""
