"""What the risk desk reads."""
