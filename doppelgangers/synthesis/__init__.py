"""Pairs of doppelgängers: from the parameters of a synthesizer to sounds, and to files of pairs.

May use `encoders` (for the sample rate) and the modules of the package's root.
"""
