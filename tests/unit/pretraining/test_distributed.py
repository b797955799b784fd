import contextlib
import csv
import os
import pickle
import re
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
import torch
import torch.distributed as dist
from torch import nn

from doppelgangers.encoders.card import Card
from doppelgangers.encoders.checkpoint import load_encoder
from doppelgangers.encoders.encoder import Encoder
from doppelgangers.errors import UserError
from doppelgangers.pretraining.augment import Augmentation
from doppelgangers.pretraining.distributed import JointBatchNorm, any_rank, choose_device, gather, join_batch_norms
from doppelgangers.pretraining.launch import launch
from doppelgangers.pretraining.sources import Stream
from doppelgangers.pretraining.stopwatch import Stopwatch
from doppelgangers.pretraining.training import Training, train, train_rank
from doppelgangers.synthesis.generate import PairRecipe
from tests.conftest import ROOT
from tests.unit.pretraining.small import CPU, WIDTH, changed, small_learner

SGD = {"optimizer": "sgd", "learning_rate": 0.1}
RANKS, STEPS = 2, 3


def sounds_of(step):
    """Tones of random pitch, which an encoder before any training tells apart; of noise it would not, and round badly."""
    pitch = 100 + 3000 * torch.rand(12, 2, 1, generator=torch.Generator().manual_seed(step))
    return torch.sin(2 * torch.pi * pitch * torch.arange(16000) / 16000)


def learn(rank, ranks, objective, folder):
    """Some steps of one rank, whose results go to files."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)  # in float32 the order of sums matters, more with every step
    learner = small_learner(changed(**SGD, objective=objective), rank, ranks)
    learner.frontend.double()
    results = []
    for step in range(STEPS):
        part = np.array_split(np.arange(12), ranks)[rank]
        terms, embeddings = learner.step(sounds_of(step)[part].double(), step, Stopwatch(CPU))
        gradients = {name: parameter.grad.clone() for name, parameter in learner.encoder.named_parameters()}
        results.append({"terms": terms, "embeddings": embeddings, **gradients})
    torch.save({"steps": results, "encoder": learner.encoder.state_dict()}, folder / f"{ranks}-{rank}.pt")


@pytest.fixture
def single_precision_again():
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["align_uniform", "nt_xent"])
def test_two_processes_learn_what_one_learns_from_the_joint_batch(tmp_path, objective, single_precision_again):
    learn(0, 1, objective, tmp_path)
    launch(learn, RANKS, RANKS, objective, tmp_path)
    assert not dist.is_initialized()
    alone = torch.load(tmp_path / "1-0.pt")
    for rank in range(RANKS):
        shared = torch.load(tmp_path / f"2-{rank}.pt")
        for theirs, ours in zip([*alone["steps"], alone["encoder"]], [*shared["steps"], shared["encoder"]], strict=True):
            for name, value in theirs.items():
                size = torch.linalg.norm(value.double())
                if name == "conv1.bias" and size < 1e-12:  # its gradient is 0: batch normalisation takes a constant away
                    size = torch.tensor(1e-3)
                assert torch.linalg.norm((ours[name] - value).double()) <= 1e-9 * size, name


@pytest.mark.slow
def test_a_whole_training_of_two_processes(tmp_path):
    rows = {}
    for ranks in (1, RANKS):
        training = training_of(tmp_path / str(ranks), pairs=32)
        assert pickle.loads(pickle.dumps(training)) == training
        launch(train_rank, ranks, ranks, CPU, training)
        rows[ranks] = list(csv.DictReader(training.history.read_text().splitlines()))
        assert load_encoder(training.encoder)(torch.zeros(1, 96, 64)).shape == (1, 512)
        assert not training.encoder.with_name("checkpoint.pt").exists()
    assert len(rows[1]) == len(rows[RANKS]) == 4
    for term in ("align", "uniform", "loss"):
        np.testing.assert_allclose(float(rows[RANKS][0][term]), float(rows[1][0][term]), rtol=1e-4)


def test_batch_norm_over_ranks_is_torchs_where_there_is_one():
    model = Encoder(0.0625)
    join_batch_norms(model)
    kinds = {type(module) for module in model.modules() if isinstance(module, nn.BatchNorm2d)}
    assert kinds == {JointBatchNorm}
    x = torch.randn(4, 96, 64)
    plain = Encoder(0.0625)
    assert torch.equal(model(x), plain(x))
    assert torch.equal(model.eval()(x), plain.eval()(x))


def fail(rank, ranks, error):
    if rank == 1:
        raise error
    gather(torch.zeros(1, 1))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (
            ValueError("rank 1 has had enough"),
            RuntimeError,
            r"(?s)line \d+, in fail.*raise error.*ValueError: rank 1 has had enough",
        ),
        (UserError("lower pretrain.pairs"), UserError, r"^lower pretrain.pairs$"),
    ],
)
def test_a_process_that_fails_ends_all_and_is_quoted(error, kind, message):
    with pytest.raises(kind, match=message) as caught:
        launch(fail, RANKS, RANKS, error)
    assert type(caught.value) is kind
    assert not dist.is_initialized()


def note_pid(rank, folder):
    (folder / str(rank)).write_text(str(os.getpid()))


def wait_for_ever(rank, folder):
    """Rank 1 waits for a collective that never comes."""
    note_pid(rank, folder)
    while rank == 0:
        time.sleep(0.1)
    any_rank(False)


HOLD = """
import sys
from pathlib import Path
from doppelgangers.pretraining.launch import launch
from tests.unit.pretraining import test_distributed
launch(test_distributed.wait_for_ever, 2, Path(sys.argv[1]))
"""


@pytest.fixture
def held(tmp_path):
    """A program whose two processes wait for ever, and these processes."""
    program = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stderr=subprocess.PIPE, text=True, cwd=ROOT)
    deadline = time.monotonic() + 60
    while len(found := [path.read_text() for path in tmp_path.glob("[01]")]) < RANKS or not all(found):
        assert program.poll() is None, program.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    ranks = {path.name: psutil.Process(int(path.read_text())) for path in tmp_path.glob("[01]")}
    yield program, ranks
    for process in (*ranks.values(), program):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    program.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("killed", ["0", "1"])
def test_a_killed_process_ends_all_with_a_clear_error(held, killed):
    program, ranks = held
    ranks[killed].kill()
    _, output = program.communicate(timeout=50)
    assert f"process {killed} of the training was killed (SIGKILL)" in output
    assert not psutil.wait_procs(ranks.values(), timeout=1)[1]


def leave(rank, status):
    if rank == 1:
        os._exit(status)
    any_rank(False)


def wait_a_little(rank):
    """Rank 1 waits for a collective that comes too late."""
    if rank == 0:
        time.sleep(60)
    any_rank(False)


@pytest.mark.slow
def test_a_process_that_leaves_or_hangs_ends_all_in_a_bounded_time():
    with pytest.raises(UserError, match=r"^process 1 of the training ended without a word \(exit status 3\)"):
        launch(leave, RANKS, 3)
    begun = time.monotonic()
    with pytest.raises(UserError, match=r"^process 1 of the training waited 12 s for the others, one of which hangs"):
        launch(wait_a_little, RANKS, wait_s=12)
    assert time.monotonic() - begun < 50
    assert not [child for child in psutil.Process().children(recursive=True) if "pretraining.rank" in " ".join(child.cmdline())]


@pytest.mark.slow
def test_machines_that_do_not_come_together_are_missed(caplog):
    with pytest.raises(UserError, match=r"^the 2 machines of pretrain.nodes did not come together within 2 s"):
        launch(any_rank, RANKS, nodes=2, wait_s=2)
    assert "waiting for 1 more machines, at most 2 s; start there: " in caplog.text


@pytest.mark.slow
def test_no_process_outlives_a_program_that_is_killed_while_they_start(tmp_path):
    program = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stderr=subprocess.PIPE, text=True, cwd=ROOT)
    deadline = time.monotonic() + 60
    while len(ranks := psutil.Process(program.pid).children()) < RANKS:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    program.kill()
    program.communicate()
    assert not psutil.wait_procs(ranks, timeout=40)[1]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_program_that_started_it(held, number):
    program, ranks = held
    program.send_signal(number)
    assert program.wait(timeout=20) == (143 if number == signal.SIGTERM else -9)
    assert not psutil.wait_procs(ranks.values(), timeout=5)[1]


def training_of(folder, **changes):
    return Training(
        encoder=folder / "encoder.safetensors",
        history=folder / "history.csv",
        card=Card("percussive-0.05", "synthetic", seed=0, width=WIDTH),
        settings=changed(**SGD, **{"batch_pairs": 8, "log_every_steps": 1, **changes}),
        width=WIDTH,
        source=Stream(PairRecipe("percussive", 0.05)),  # it is compiled soonest
        augmentation=Augmentation("none"),
        checkpoint_every_s=0.0,
    )


LONG = """
import sys
from pathlib import Path
from doppelgangers.pretraining.training import train
from tests.unit.pretraining.test_distributed import training_of
train(training_of(Path(sys.argv[1]), pairs=80_000, gpus=0, ranks=2))
"""


@pytest.mark.slow
def test_two_processes_that_are_told_to_end_save_their_step(tmp_path):
    program = subprocess.Popen([sys.executable, "-c", LONG, str(tmp_path)], stderr=subprocess.PIPE, text=True, cwd=ROOT)
    checkpoint, deadline = tmp_path / "checkpoint.pt", time.monotonic() + 90
    while not checkpoint.exists():
        assert program.poll() is None, program.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    children = psutil.Process(program.pid).children(recursive=True)
    assert len(children) == RANKS
    program.terminate()
    _, output = program.communicate(timeout=20)
    assert program.returncode == 143, output
    told = int(re.search(r"told to end: saved step (\d+)", output)[1])
    assert torch.load(checkpoint)["state"]["step"] == told
    assert not psutil.wait_procs(children, timeout=1)[1]
    assert not list(tmp_path.glob("ranks.*"))


@pytest.mark.slow
def test_two_machines_share_a_training(tmp_path, monkeypatch):
    """Each with its own launcher; here both are this machine, and a stand-in for srun starts the second."""
    srun = tmp_path / "bin/srun"
    srun.parent.mkdir()
    srun.write_text('#!/bin/sh\necho "$@" >"$0.asked"\nwhile [ "${1#--}" != "$1" ]; do shift; done\nexec "$@"\n')
    srun.chmod(0o755)
    monkeypatch.setenv("PATH", f"{srun.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    rows = {}
    for nodes in (1, 2):
        training = training_of(tmp_path / str(nodes), pairs=16, gpus=0, ranks=2, nodes=nodes)
        train(training)
        rows[nodes] = [row["loss"] for row in csv.DictReader(training.history.read_text().splitlines())]
    assert len(rows[1]) == 2
    assert rows[2] == rows[1]
    assert "--nodes=1 --ntasks=1 --ntasks-per-node=1" in srun.with_suffix(".asked").read_text()


def test_devices_are_chosen_as_asked(monkeypatch):
    def chosen(**settings):
        return choose_device(changed(**settings))

    cuda = torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert chosen() == (cuda, 1)
    assert chosen(gpus=0) == (CPU, 1)
    assert chosen(gpus=0, ranks=4) == (CPU, 4)
    assert chosen(gpus=2) == (cuda, 2)
    assert chosen(gpus=4, nodes=2) == (cuda, 4)
    with pytest.raises(UserError, match=r"pretrain.gpus = 4, and torch finds 2 GPUs"):
        chosen(gpus=4)
    with pytest.raises(UserError, match=r"pretrain.gpus = 8, and torch finds 2 GPUs here, where 4 are needed"):
        chosen(gpus=8, nodes=2)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert chosen() == (CPU, 1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ranks": 2}, "one process for each"),
        ({"gpus": 2, "ranks": 2}, "one process for each"),
        ({"nodes": 2}, "2 machines cannot share auto processes"),
        ({"gpus": 3, "nodes": 2, "batch_pairs": 18}, "2 machines cannot share 3 processes evenly"),
        ({"gpus": 3}, "3 processes cannot share 16 pairs evenly"),
    ],
)
def test_processes_that_cannot_share_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        changed(**settings)
