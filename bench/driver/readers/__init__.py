"""Reads by vendors' own connectors, each run in an environment of its own: `python -m driver.readers.KIND FORM JSON`."""
