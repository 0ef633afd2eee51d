"""check_op and check_grads: derivatives held against numerical ones."""
