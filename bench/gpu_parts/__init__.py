"""The parts of `python -m bench.gpu`, one a file."""
