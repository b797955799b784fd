"""The device of this process, and how exact its products are."""

import os
import warnings

import torch

ENVIRONMENT = "NVIDIA_TF32_OVERRIDE"  # NVIDIA's libraries obey it whatever a program asks for


def find_device() -> torch.device:
    """The GPU if this process may use one, and the CPU otherwise; float32 is float32 on it, until `allow_tf32` is called."""
    allow_tf32(False)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def allow_tf32(allowed: bool) -> None:
    """Say whether a GPU may round float32 to the 10 bits of TF32 in matrix products and convolutions.

    By default torch allows it for convolutions, and the environment may allow or forbid it for all.
    """
    wanted = str(int(allowed))
    if os.environ.get(ENVIRONMENT, wanted) != wanted:
        os.environ[ENVIRONMENT] = wanted
    with warnings.catch_warnings():  # some versions of torch warn of these flags; all obey them, and torch.compile reads them
        warnings.simplefilter("ignore")
        torch.backends.cuda.matmul.allow_tf32 = allowed
        torch.backends.cudnn.allow_tf32 = allowed
