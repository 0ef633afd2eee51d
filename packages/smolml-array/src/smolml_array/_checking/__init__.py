"""check_backend: what a backend is held to."""
