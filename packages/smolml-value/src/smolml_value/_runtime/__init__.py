"""What the interpreter and the compiler need, and no idea of automatic differentiation."""
