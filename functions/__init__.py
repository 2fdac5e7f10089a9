"""One folder, one Lambda: `functions.NAME.handler.handler`."""
