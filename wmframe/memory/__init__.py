"""M: the MDN-RNN and its baselines."""
