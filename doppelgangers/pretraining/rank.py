"""One process of a group that `launch` started: python -m doppelgangers.pretraining.rank GROUP."""

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
    """Do the part of this process. What it raises is written where the launcher reads it."""
    threading.Thread(target=end_with_parent, args=(os.getppid(),), daemon=True).start()
    rank, group = int(os.environ["RANK"]), Group.read(Path(sys.argv[1]))
    logging.basicConfig(level=logging.INFO if rank == 0 else logging.WARNING, format="%(message)s")
    torch.set_num_threads(group.threads)
    join_group(group.device, int(os.environ["LOCAL_RANK"]))
    group.work(rank, *group.arguments)
    dist.destroy_process_group()


def end_with_parent(parent: int) -> None:
    """Tell this process to end when the launcher is gone, which can tell no more if it was killed; then end it."""
    while os.getppid() == parent:
        time.sleep(LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SAVE_S)
    os._exit(1)


if __name__ == "__main__":
    try:
        main()
    except UserError:  # the launcher prints its message
        sys.exit(1)
