"""Generated documentation; `make reference` writes the reference of both APIs."""
