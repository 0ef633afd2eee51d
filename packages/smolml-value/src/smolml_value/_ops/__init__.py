"""What ops stand on: their definition checked, numbers, IEEE answers, plugins, methods."""
