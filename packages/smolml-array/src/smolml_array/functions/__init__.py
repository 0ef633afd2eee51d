"""The functions of arrays and their rules, one file a family."""
