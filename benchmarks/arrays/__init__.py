"""The programs that benchmarks/array.py times, each written for every contestant."""
