"""Recorded and encoded episodes on disk, batches of them, and the seeds they come from."""
