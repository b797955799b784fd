"""The encoder and its front-end, the files it is kept in, and encoders that are not trained here.

May use the modules of the package's root.
"""
