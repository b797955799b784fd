"""Benchmarks of `make bench`. JAX shares the GPU with torch, as in a job; set here, before JAX loads."""

import os

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
