import csv
import pickle

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import nn

from doppelgangers.encoders.card import Card
from doppelgangers.encoders.checkpoint import load_encoder
from doppelgangers.encoders.encoder import Encoder
from doppelgangers.errors import UserError
from doppelgangers.pretraining.augment import Augmentation
from doppelgangers.pretraining.distributed import JointBatchNorm, choose_device, gather, join_batch_norms, launch
from doppelgangers.pretraining.sources import Stream
from doppelgangers.pretraining.stopwatch import Stopwatch
from doppelgangers.pretraining.training import Training, train_rank
from doppelgangers.synthesis.generate import PairRecipe
from tests.unit.pretraining.small import CPU, WIDTH, changed, small_learner

SGD = {"optimizer": "sgd", "learning_rate": 0.1}
RANKS, STEPS = 2, 3


def sounds_of(step):
    """Tones of random pitch, which an encoder before any training tells apart; of noise it would not, and round badly."""
    pitch = 100 + 3000 * torch.rand(12, 2, 1, generator=torch.Generator().manual_seed(step))
    return torch.sin(2 * torch.pi * pitch * torch.arange(16000) / 16000)


def learn(rank, ranks, objective, folder):
    """Some steps of one rank, whose results go to files."""
    torch.set_num_threads(1)  # in the other process too
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
                assert torch.linalg.norm((ours[name] - value).double()) <= 1e-9 * torch.linalg.norm(value.double()), name


@pytest.mark.slow
def test_a_whole_training_of_two_processes(tmp_path):
    rows = {}
    for ranks in (1, RANKS):
        training = Training(
            encoder=tmp_path / f"{ranks}/encoder.safetensors",
            history=tmp_path / f"{ranks}/history.csv",
            card=Card("percussive-0.05", "synthetic", seed=0, width=WIDTH),
            settings=changed(**SGD, pairs=32, batch_pairs=8, log_every_steps=1),
            width=WIDTH,
            source=Stream(PairRecipe("percussive", 0.05)),  # it is compiled soonest
            augmentation=Augmentation("none"),
            checkpoint_every_s=0.0,
        )
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


def fail(rank, ranks):
    if rank == 1:
        raise ValueError("rank 1 has had enough")
    gather(torch.zeros(1, 1))


@pytest.mark.slow
def test_a_process_that_fails_ends_all_and_is_quoted():
    with pytest.raises(torch.multiprocessing.ProcessRaisedException, match="rank 1 has had enough"):
        launch(fail, RANKS, RANKS)
    assert not dist.is_initialized()


def test_gpus_are_chosen_as_asked(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("auto") == (torch.device("cuda"), 1)
    assert choose_device(0) == (CPU, 1)
    assert choose_device(2) == (torch.device("cuda"), 2)
    with pytest.raises(UserError, match=r"pretrain.gpus = 3, and torch finds 2 GPUs"):
        choose_device(3)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert choose_device("auto") == (CPU, 1)
