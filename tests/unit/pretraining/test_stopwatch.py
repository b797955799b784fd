import time

import torch

from doppelgangers.pretraining.stopwatch import PARTS, Stopwatch


def test_shares_of_a_step_add_up_and_start_anew():
    watch = Stopwatch(torch.device("cpu"))
    time.sleep(0.02)
    watch.end("wait")
    for _ in range(2):
        time.sleep(0.03)
        watch.end("forward")
    time.sleep(0.02)  # neither of the parts
    shares = watch.shares()
    assert set(shares) == set(PARTS)
    assert 0.1 < shares["wait"] < 0.3
    assert 0.5 < shares["forward"] < 0.7
    assert shares["frontend"] == shares["backward"] == 0
    assert 0.7 < sum(shares.values()) < 0.95
    time.sleep(0.01)
    watch.end("backward")
    assert watch.shares()["backward"] > 0.9
