"""What jobs cost: literal values of small configurations, and facts that the catalogue does not have, against their sources."""

import importlib
import re
from typing import get_args

import pytest

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.catalogue import DATASETS, TASKS
from doppelgangers.datasets.labels import folds_of, read_clips, read_labelled
from doppelgangers.encoders.encoder import Encoder
from doppelgangers.encoders.frontend import RATE_HZ, patch_count
from doppelgangers.synthesis.settings import Architecture
from doppelgangers.workflow import costs
from doppelgangers.workflow.config import load
from doppelgangers.workflow.cost import Cost
from doppelgangers.workflow.costs import Costs
from tests.conftest import ROOT


def costs_of(gpus=0, **config):
    return Costs(load(config), gpus)


def test_every_rule_has_a_cost():
    rules = set(re.findall(r"^rule (\w+):", "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk")), re.M))
    assert len(rules) > 15
    assert rules <= {name for name in dir(Costs) if not name.startswith("_")}


def test_a_job_asks_for_twice_its_cost_and_for_twice_as_much_at_the_next_attempt():
    cost = Cost(memory_mb=1500, core_s=3600, serial_s=594)
    assert [cost.request_mb(attempt) for attempt in (1, 2, 3)] == [3400, 6800, 13600]
    assert [cost.request_min(1, attempt) for attempt in (1, 2)] == [140, 280]  # 4,200 s
    assert cost.request_min(2, 1) == 80  # 1,800 s of two threads, and the same 600 s


def test_a_small_job_asks_for_a_few_minutes():
    assert [Cost(100).request_min(1, attempt) for attempt in (1, 2)] == [5, 10]


def test_work_of_a_gpu_takes_the_place_of_that_of_processors():
    assert Cost(1, core_s=100, serial_s=4, gpu_s=30, gpus=0).wall_s(4) == 6 + 4 + 25
    assert Cost(1, core_s=100, serial_s=4, gpu_s=30, gpus=2).wall_s(4) == 6 + 4 + 15


def test_training_costs_what_its_parts_do():
    config = {"encoder": {"width": 0.5}, "pretrain": {"pairs": 1000, "batch_pairs": 100}}
    cost = costs_of(**config).of("pretrain", {"setting": "voice-0.05", "seed": "0"})
    assert cost.core_s == pytest.approx(1000 * (0.002 + 0.038 / 4))
    assert cost.serial_s == 0  # pairs from a store are rendered already
    assert cost.memory_mb == pytest.approx(1000 + 4 * (46 / 4 + 1) + 100 * (0.6 + 7.2 / 2))
    streamed = costs_of(**{**config, "pretrain": {**config["pretrain"], "source": "stream"}})
    assert streamed.of("pretrain", {"setting": "voice-0.05", "seed": "0"}).core_s == pytest.approx(cost.core_s + 1000 / 2100)


def test_on_gpus_training_at_the_papers_scale_takes_the_papers_hours():
    config = {"encoder": {"width": 1}, "pretrain": {"pairs": 18_000_000, "source": "stream"}}
    wildcards = {"setting": "voice-0.05", "seed": "0"}
    assert costs_of(gpus=1, **config).of("pretrain", wildcards).gpu_s == pytest.approx(3 * 3600)
    two = costs_of(gpus=1, **{**config, "pretrain": {**config["pretrain"], "gpus": 2}}).of("pretrain", wildcards)
    assert (two.wall_s(2) - two.serial_s - 6) / 3600 == pytest.approx(1.5)


def test_a_training_has_the_gpus_that_it_is_told_to_and_other_jobs_have_not():
    told = costs_of(pretrain={"gpus": 2})
    assert told.of("pretrain", {"setting": "voice-0.05", "seed": "0"}).gpus == 2
    assert told.of("extract_features", {"dataset": "drums", "setting": "voice-0.05", "seed": "0"}).gpus == 0


def test_a_download_takes_its_archives_bytes():
    cost = costs_of().of("download", {"dataset": "mit_ir", "file": "MIT-IR.zip"})
    assert cost.disk_mb == pytest.approx(11.660005)
    assert cost.serial_s == pytest.approx(11.660005 / 5)


@pytest.mark.parametrize("name", [name for name, row in DATASETS.items() if row.module])
def test_a_dataset_takes_the_room_of_its_patches(name):
    config = {"datasets": {name: {"limit_clips": 10}}}
    expected = 10 * patch_count(round(DATASETS[name].clip_s * RATE_HZ)) * 96 * 64 * 2 / 1e6
    assert costs_of(**config).of("prepare", {"dataset": name}).disk_mb == pytest.approx(expected)


def test_probes_cost_by_clips_folds_seeds_and_epochs():
    one, five = ({"task": "percussion", "setting": setting} for setting in ("voice-0.05", "random_init"))
    for rule in ("train_linear_probes", "train_mlp_probes"):
        assert costs_of().of(rule, five).core_s == pytest.approx(5 * costs_of().of(rule, one).core_s)
    linear = costs_of(probe={"epochs": 10}, datasets={"drums": {"limit_clips": 100}}).of("train_linear_probes", one)
    assert linear.core_s == pytest.approx(100 * 7 * 10 * (2.5e-6 + 47 * 0.028e-6))
    assert linear.memory_mb == pytest.approx(850 + 4 * 100 * 512 * 4 / 1e6)


def test_a_further_kind_of_probe_has_its_tasks_classes_and_folds():
    further = costs_of(probe={"also": ["hear_linear"]})
    assert further.shape("percussion_hear_linear") == further.shape("percussion") == (47, 7)


def test_what_is_not_known_of_the_users_own_sounds_is_assumed(tmp_path):
    own = {"mine": {"format": "folder", "path": str(tmp_path), "label": "name", "clip_s": 2}}
    recordings = {"rain": {"path": str(tmp_path), "limit_files": 0}}
    mine = costs_of(own_tasks=own, tasks=["mine"], recordings=recordings)
    assert mine.of("prepare", {"dataset": "mine"}).disk_mb > 1
    assert mine.of("train_linear_probes", {"task": "mine", "setting": "random_init"}).core_s > 1
    assert mine.of("decode_recordings", {"recordings": "rain"}).disk_mb == 32_000  # 100,000 of 10 s


def test_every_synthesizer_has_its_figures():
    assert set(costs.RENDERED) == set(costs.COMPILING_S) == set(get_args(Architecture))


@pytest.mark.parametrize("width", [0.25, 1.0])
def test_an_encoder_takes_the_room_of_its_weights(width):
    size_mb = sum(tensor.numel() * tensor.element_size() for tensor in Encoder(width).state_dict().values()) / 1e6
    assert costs_of(encoder={"width": width}).encoder_mb == pytest.approx(size_mb, rel=0.3)


@pytest.mark.parametrize("name", ["notes", "drums"])
def test_sizes_of_the_embedded_tasks_are_those_of_their_tables(name, tmp_path):
    with Tree([], tmp_path / "unpacked") as tree:
        importlib.import_module(f"doppelgangers.datasets.{name}").load(tree, True).table.to_csv(tmp_path / "clips.csv")
    table = read_clips(tmp_path / "clips.csv")
    assert costs.CLIPS[name] == len(table)
    for task, row in TASKS.items():
        if row.dataset == name:
            rows, _, labels = read_labelled(table, row, task)
            folds = folds_of(table[row.fold].iloc[rows], task)
            assert costs.SHAPES[task] == (len(labels), len(set(folds.tolist())))


def test_every_task_of_the_catalogue_has_a_shape_and_every_archive_a_size():
    assert set(costs.SHAPES) == set(TASKS)
    unknown = {name for name, row in DATASETS.items() if any(not archive.bytes for archive in row.archives)}
    assert set(costs.ARCHIVE_MB) == unknown
