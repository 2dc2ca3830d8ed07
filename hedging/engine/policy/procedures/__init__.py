"""The question lists that policy works through: gates, collapse, expansion, harvest, cost of capital."""
