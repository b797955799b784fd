"""Contrastive pretraining, on synthesized pairs or on recordings: sources of pairs, augmentations, losses, the loop.

May use `synthesis`, `datasets` and `encoders`, and the modules of the package's root.
"""
