"""A trained network at work: on a picture, on files and on videos."""
