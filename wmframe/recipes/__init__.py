"""What is computed: an experiment's schema and its stage graph."""
