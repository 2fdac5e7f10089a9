"""The reference, generated from the handlers and the models: `make reference` writes it anew."""
