"""replay: a step recorded once, and played back without a graph."""
