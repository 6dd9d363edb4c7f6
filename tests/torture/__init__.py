"""What docs/reliability.md promises, each promise broken on purpose: a sample in CI, all of it by `make torture`."""
