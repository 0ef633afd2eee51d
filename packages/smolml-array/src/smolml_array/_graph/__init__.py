"""The graph of arrays: nodes over buffers, rules applied, the backward pass."""
