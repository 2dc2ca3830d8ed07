"""Benchmarks of the option kernel; ``python -m bench`` prints one table."""
