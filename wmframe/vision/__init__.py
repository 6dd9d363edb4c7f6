"""V: the VAE and its baseline."""
