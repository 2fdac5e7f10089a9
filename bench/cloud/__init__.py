"""The parts of AWS that a benchmark needs, in memory: as slow as they are, and with a bill."""
