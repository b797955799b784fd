"""The encoder, its front-end and its files; encoders that are not trained here.

May use the modules of the package's root.
"""
