"""What made the files that ship with the package. It is part of the repository only."""
