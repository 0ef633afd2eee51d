"""What drawings and explanations ask of nodes, and how numbers are written in them."""
