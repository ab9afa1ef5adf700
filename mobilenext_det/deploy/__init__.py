"""What ships: a trained detector as one file for a phone or a server, and what runs it there."""
