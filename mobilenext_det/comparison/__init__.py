"""The comparison of detectors over seeds, with intervals."""
