"""What the tests of pretraining share."""

import pytest
import torch


@pytest.fixture(scope="package", autouse=True)
def one_thread():
    """Several threads would wait for each other where other programs use the cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
