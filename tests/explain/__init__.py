"""Whether explanations tell what is known to be true."""
