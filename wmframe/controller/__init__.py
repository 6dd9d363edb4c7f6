"""C: features in, actions out; a whole population in one product."""
