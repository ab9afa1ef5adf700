"""From a folder of labelled images to a config: what `tools/prepare.py` calls."""
