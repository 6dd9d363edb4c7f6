"""The search for C: Nevergrad as a generation loop."""
