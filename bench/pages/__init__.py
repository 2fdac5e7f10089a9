"""Pages in a browser, on a stack of their own in the local cloud."""
