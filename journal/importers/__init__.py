"""Readers of what brokers write."""
