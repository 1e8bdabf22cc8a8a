"""`kawal demo`: a dozen realistic cases driven through the running system over its API, as its people would."""
