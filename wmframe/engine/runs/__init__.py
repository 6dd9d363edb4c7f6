"""Runs and sweeps: folders, records, provenance, and the runner that obtains every node of a graph."""
