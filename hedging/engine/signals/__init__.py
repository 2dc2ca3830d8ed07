"""Signals and regimes: what the method watches, computed from history up to a day and from nothing later."""
