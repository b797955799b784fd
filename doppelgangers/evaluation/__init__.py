"""Frozen features, probes, metrics and the table; encoders of others, and releases of ours.

May use `datasets` and `encoders`, and the modules of the package's root.
"""
