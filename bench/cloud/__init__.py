"""The services of AWS that benchmarks need, emulated in memory, with their latency and a bill."""
