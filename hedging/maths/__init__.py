"""Option mathematics: NumPy and numba only, importable on its own."""
