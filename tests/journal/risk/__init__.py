"""The risk desk."""
