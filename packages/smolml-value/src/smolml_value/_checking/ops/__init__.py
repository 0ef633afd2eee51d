"""The parts of check_op: samples, differences, and one file for each group of checks."""
