"""One training step of an MLP, written for each contender: same weights, same batches, same rule."""
