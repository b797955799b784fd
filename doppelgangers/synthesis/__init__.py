"""Sounds and pairs of doppelgängers: from the parameters of a synthesizer to files of pairs.

May use `encoders` (for the sample rate) and the modules of the package's root.
"""
