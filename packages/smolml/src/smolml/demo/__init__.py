"""What `smolml demo` runs."""
