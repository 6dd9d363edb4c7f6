"""What computes a recipe of stages, whatever they do: config, graph, store, runs and sweeps, tracking. Knows no RL."""
