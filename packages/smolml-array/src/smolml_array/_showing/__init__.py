"""How arrays look: printed, in notebooks, in drawings and explanations."""
