"""Holding the detector for one's own images against what people pick instead."""
