"""Whole-sync benchmarks: each case beside its bare parts, in one run."""
