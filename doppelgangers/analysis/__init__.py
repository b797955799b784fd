"""What is looked at rather than read: figures of scores and of trainings.

May use `datasets`, `synthesis` and `encoders`, and the modules of the package's root.
"""
