"""Where episodes come from: random policies, evolving populations, drivers."""
