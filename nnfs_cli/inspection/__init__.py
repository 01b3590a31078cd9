"""Looking at a table before anything is learned from it: what `nnfs init` proposes and what `nnfs check` finds."""
