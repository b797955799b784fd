"""The study told in order: the paper's claims with verdicts, tables for papers, and one page with all that was made.

May use `analysis` and `evaluation`, and what they use.
"""
