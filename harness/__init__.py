"""What tests, fuzzers and benchmarks share."""
