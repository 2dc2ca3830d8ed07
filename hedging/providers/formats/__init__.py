"""Readers of market files, one module a format; detect.parse_market_file chooses among them."""
