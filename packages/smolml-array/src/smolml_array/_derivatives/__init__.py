"""How arrays answer to the transforms: vjps and jvps of nodes, arguments, kinds."""
