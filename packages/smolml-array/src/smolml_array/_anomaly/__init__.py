"""detect_anomaly on arrays."""
