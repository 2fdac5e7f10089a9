"""One folder, one Lambda: `functions.NAME.handler.handler`."""

import gc

# A cold start makes 80,000 to 110,000 objects that stay. By default the collector looks at them
# some forty times meanwhile, which takes a tenth of it.
gc.set_threshold(200_000)
