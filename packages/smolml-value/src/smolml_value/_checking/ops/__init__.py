"""The parts of check_op: samples, and one file for each group of checks."""
