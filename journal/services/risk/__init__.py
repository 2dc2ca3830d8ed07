"""What the risk desk and its workers write."""
