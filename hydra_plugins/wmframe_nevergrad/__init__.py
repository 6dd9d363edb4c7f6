"""Nevergrad as a sweeper for Hydra 1.3, `hydra/sweeper=nevergrad`; the published one breaks Hydra on Python 3.11."""
