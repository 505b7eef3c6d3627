"""A device type that the package has never heard of does all that the CPU does, with the same numbers."""
