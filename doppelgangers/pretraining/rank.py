"""One process of a group that `launch` started: python -m doppelgangers.pretraining.rank GROUP LAUNCHER."""

import datetime
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

import torch
import torch.distributed as dist
from torch.distributed.elastic.multiprocessing.errors import record

from doppelgangers.errors import UserError
from doppelgangers.pretraining.distributed import join_group
from doppelgangers.pretraining.launch import Group

AFFECTS_RESULTS = False  # it runs what is given to it

LOOK_S, SAVE_S = 0.5, 20.0


@record
def main() -> None:
    """Do the part of this process. What it raises is written where the launcher reads it.

    Raises:
        UserError: when another process of the group hangs.
    """
    threading.Thread(target=end_with, args=(int(sys.argv[2]),), daemon=True).start()
    rank, group = int(os.environ["RANK"]), Group.read(Path(sys.argv[1]))
    logging.basicConfig(level=logging.INFO if rank == 0 else logging.WARNING, format="%(message)s")
    torch.set_num_threads(group.threads)
    join_group(group.device, int(os.environ["LOCAL_RANK"]), datetime.timedelta(seconds=group.wait_s))
    try:
        group.work(rank, *group.arguments)
    except RuntimeError as error:
        if "timed out" not in str(error).lower():
            raise
        raise UserError(
            f"process {rank} of the training waited {group.wait_s:.0f} s for the others, one of which hangs, and all were "
            f"ended: run it again, and it continues from its checkpoint ({str(error).splitlines()[0]})"
        ) from error
    dist.destroy_process_group()


def end_with(launcher: int) -> None:
    """Tell this process to end when the launcher is gone, which can tell no more if it was killed; then end it."""
    while os.getppid() == launcher:
        time.sleep(LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SAVE_S)
    os._exit(1)


if __name__ == "__main__":
    try:
        main()
    except UserError:  # the launcher prints its message
        sys.exit(1)
