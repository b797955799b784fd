"""Downstream datasets and tasks: the catalogue, downloads, archives, one reader each, and log-mel patches of their clips.

May use `encoders` (for the front-end) and the modules of the package's root.
"""
