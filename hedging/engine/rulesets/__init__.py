"""Rulesets: the method's numbers as versioned, explained, content-hashed data."""
