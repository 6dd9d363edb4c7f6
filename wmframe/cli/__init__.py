"""Commands only: what a person types."""
