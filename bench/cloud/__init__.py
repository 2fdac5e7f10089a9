"""The parts of AWS that a benchmark needs, in memory, with AWS's latencies and a bill."""
