"""Other issuers, by OpenID Connect: which are trusted, and what they publish of themselves."""
