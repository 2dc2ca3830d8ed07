"""The hedge layers: packages, limits on their size, the ladder and what it asks for."""
