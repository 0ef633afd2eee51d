"""The methods of MLArray."""
