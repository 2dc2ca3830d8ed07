"""Policy: from book, market, signals and ruleset to advice. No clock, no database, no randomness."""
