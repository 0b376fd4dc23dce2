"""Measurements beside their baselines, in one run on one machine: `make bench`, `make bench QUICK=1`."""
