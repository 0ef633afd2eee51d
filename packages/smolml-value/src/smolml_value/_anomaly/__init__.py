"""detect_anomaly: where the first nan or inf came from."""
