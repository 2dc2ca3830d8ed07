"""Condors: those the rules would open, and what the procedures do to open ones."""
