"""Text files with one sample a line, from bytes to columns: one step a file."""
