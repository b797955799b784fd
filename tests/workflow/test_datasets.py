"""The miniature of every dataset, from a server on 127.0.0.1 through download, preparation and probes to the table."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from doppelgangers.datasets.catalogue import DATASETS
from doppelgangers.encoders.checkpoint import load_encoder
from doppelgangers.files import checksum, read_json
from tests.archives import write_archives, write_folder, write_zip
from tests.conftest import ROOT
from tests.miniatures import FILES, sound

pytestmark = pytest.mark.workflow

EIGHT = ["esc50", "urbansound8k", "vivae", "fsd50k", "nsynth_pitch", "crema_d", "vocal_imitation", "libricount"]
THREE = ["spoken_digit", "speaker", "crema_d_unseen_actors"]
MLP = {"width": 16, "tried": 2, "max_epochs": 3, "check_every_epochs": 1}
RANDOM = {"architectures": [], "random_init": True}
PEER = """
import torch

class Model(torch.nn.Module):
    sample_rate = 32000
    scene_embedding_size = 2

def load_model(model_file_path=""):
    return Model()

def get_scene_embeddings(audio, model):
    return torch.stack([audio.mean(1), audio.std(1)], dim=1)
"""


def serve(host, project, dataset):
    """Put a miniature on the server; returns the entry of the configuration for it."""
    folder = host.folder / dataset
    archives = DATASETS[dataset].archives
    if archives[0].manifest:
        write_folder(folder, FILES[dataset]())
        rows = [(path, path.stat().st_size, checksum(path)) for path in sorted(folder.rglob("*.wav"))]
        manifest = pd.DataFrame(rows, columns=["path", "bytes", "sha256"])
        manifest = manifest.assign(path=manifest.path.map(lambda path: path.relative_to(folder).as_posix()))
        manifest.to_csv(project.path(f"doppelgangers/datasets/{archives[0].manifest}"), index=False)
        return {"url": f"{host.address}/{dataset}", "checksum": "none"}
    write_archives(folder, dataset)
    single = f"/{archives[0].file}" if len(archives) == 1 else ""
    return {"url": f"{host.address}/{dataset}{single}", "checksum": "none"}


def run(project, change, *targets):
    overlay = project.path("change.yaml")
    overlay.write_text(yaml.safe_dump(change))
    return project.run(*targets, config=(overlay,), target="results/table.csv" if not targets else targets[0])


def hurry(project):
    """Shorten the pauses between tries."""
    source = project.path("doppelgangers/datasets/fetch.py")
    text = source.read_text()
    assert re.search(r"^BACKOFF_S = ", text, re.M)
    source.write_text(f"{text}\n\nBACKOFF_S = 0.01\n")


def test_all_datasets_go_through_to_the_table(project, host):
    hurry(project)
    datasets = {name: serve(host, project, name) for name in [*EIGHT, "fsdd", "mit_ir"]}
    write_zip(host.folder / "birds.zip", FILES["folder"]())
    hear_task = write_folder(project.path("mine/hear"), FILES["hear"]())
    own = {
        "birds": {"format": "folder", "url": f"{host.address}/birds.zip", "label": "letter", "clip_s": 1},
        "digits": {"format": "hear", "path": str(hear_task), "clip_s": 1, "probe": "mlp"},
    }
    host.busy["/libricount/LibriCount10-0dB.zip"] = 2
    host.cut["/urbansound8k/UrbanSound8K.tar.gz"] = [70_000]
    change = {
        "encoders": RANDOM,
        "tasks": [*EIGHT, *THREE, *own],
        "own_tasks": own,
        "datasets": datasets,
        "downloads": {"noncommercial": ["esc50", "urbansound8k", "vivae", "fsd50k"]},
        "mlp": MLP,
    }
    responses = "resources/archives/mit_ir/MIT-IR.zip"
    result = run(project, change, "results/table.csv", responses)
    assert result.returncode == 0, result.stdout
    table = pd.read_csv(project.path("results/table.csv"))
    assert set(table.columns[7::2]) == {*EIGHT, *THREE, "birds", "digits"}
    assert table.iloc[0, 7::2].between(0, 100).all()
    assert project.path("results/table.csv").read_text().splitlines()[1].startswith("random_init,random_init,,,none,1,0,")
    assert len(pd.read_csv(project.path("results/probes/esc50/random_init.csv"))) == 5 * 3  # folds, metrics
    folds = {
        task: pd.read_csv(project.path(f"results/probes/{task}/random_init.csv"), dtype=str).fold.unique().tolist()
        for task in change["tasks"]
    }
    assert {task: len(found) for task, found in folds.items()} == {
        **{"esc50": 5, "urbansound8k": 10, "vivae": 11, "fsd50k": 1, "nsynth_pitch": 1, "crema_d": 5, "vocal_imitation": 3},
        **{"libricount": 5, "spoken_digit": 6, "speaker": 5, "crema_d_unseen_actors": 5, "birds": 3, "digits": 3},
    }
    assert folds["fsd50k"] == folds["nsynth_pitch"] == ["test"]
    assert project.path(responses).read_bytes() == (host.folder / "mit_ir/MIT-IR.zip").read_bytes()
    # Asked again after 503, and continued after the cut.
    assert [asked for asked, _ in host.asked].count("/libricount/LibriCount10-0dB.zip") == 3
    assert ("/urbansound8k/UrbanSound8K.tar.gz", "bytes=65536-") in host.asked
    records = {path.parent.name: read_json(path) for path in project.path("resources").rglob("*.record.json")}
    assert [name for name, record in records.items() if record["expected"] != "none"] == ["birds"]
    assert set(records) == {*datasets, "birds"}
    assert not list(project.path("resources").rglob(".*"))


def test_an_encoder_of_somebody_else_is_a_row(project, host):
    project.path("hear_peer.py").write_text(PEER)
    change = {
        "encoders": {**RANDOM, "peers": {"theirs": {"module": "hear_peer"}}},
        "tasks": ["libricount"],
        "datasets": {"libricount": serve(host, project, "libricount")},
        "features": {"pooling": "masked_mean"},  # of random_init: the peer has whole clips
        "probe": {"also": ["mlp", "hear_linear"]},
        "mlp": MLP,
    }
    result = run(project, change)
    assert result.returncode == 0, result.stdout
    table = pd.read_csv(project.path("results/table.csv"))
    assert table.encoder.tolist() == ["theirs", "random_init"]
    assert table.source.tolist() == ["peer", "random_init"]
    columns = {"libricount": "mlp", "libricount_hear_linear": "hear_linear"}
    assert list(table.columns[7:]) == [column for name in columns for column in (name, f"{name}_std")]
    assert table.iloc[:, 7:].notna().all(axis=None)
    assert sorted(path.name for path in project.path("results/probes").iterdir()) == sorted(columns)
    scores = pd.read_csv(project.path("results/scores.csv"))
    assert scores.groupby("task").probe.unique().map(list).to_dict() == {name: [kind] for name, kind in columns.items()}
    chosen = pd.read_csv(project.path("results/probes/libricount_hear_linear/theirs.csv")).setting
    assert chosen.str.startswith("hidden=0 ").all()
    lengths = pd.read_csv(project.path("resources/datasets/libricount/clips.csv")).unpadded_s
    assert (lengths == 0.2).all()  # of the miniature; so only the first of five patches counts
    patches = np.load(project.path("resources/datasets/libricount/logmel.npy"))[:, 0]
    encoder = load_encoder(project.path("results/encoders/random_init/seed=0/encoder.safetensors"))
    with torch.no_grad():
        expected = encoder(torch.from_numpy(patches).float())
    features = np.load(project.path("results/features/libricount/random_init/seed=0.npy"))
    np.testing.assert_allclose(features, expected, atol=1e-4)
    result = run(project, change, "results/hear_tasks/libricount-doppelgangers-full")
    assert result.returncode == 0, result.stdout
    assert project.path("results/hear_tasks/libricount-doppelgangers-full/fold04.json").exists()


def test_the_example_of_the_documentation_works(project, host):
    module, rows = re.findall(r"```python\n(.*?)```", (ROOT / "docs/adding.md").read_text(), re.S)
    project.path("doppelgangers/datasets/bells.py").write_text(module)
    with open(project.path("doppelgangers/datasets/catalogue.py"), "a") as catalogue:
        catalogue.write(rows)
    files = {
        f"bells/strokes/{tower}_{bell}.wav": sound(pitch, number, 16000)
        for number, tower in enumerate(("east", "north", "west"))
        for pitch, bell in ((0, "great"), (7, "small"))
    }
    write_zip(host.folder / "bells.zip", files)
    source = {"url": f"{host.address}/bells.zip", "checksum": f"sha256:{checksum(host.folder / 'bells.zip')}"}
    result = run(project, {"encoders": RANDOM, "tasks": ["bells"], "datasets": {"bells": source}})
    assert result.returncode == 0, result.stdout
    scores = pd.read_csv(project.path("results/scores.csv"))
    assert sorted(scores.fold.unique()) == [1, 2, 3]
    docs = [sys.executable, "-m", "doppelgangers.workflow.config_docs"]
    assert subprocess.run(docs, cwd=project.folder, capture_output=True).returncode == 0
    pages = project.path("docs/datasets.md").read_text()
    assert "| bells | bells | bell | " in pages
    assert "| bells | [bells.zip](https://example.org/bells.zip) | CC0 | " in pages


ARCHIVE = "resources/downloads/libricount/LibriCount10-0dB.zip"
CLIPS = "resources/datasets/libricount/clips.csv"


def failing(project, change, message, target=CLIPS):
    result = run(project, {"encoders": RANDOM, "tasks": ["libricount"], **change}, target)
    assert result.returncode != 0
    assert message in result.stdout
    assert "Traceback" not in result.stdout
    assert not project.path(CLIPS).exists()


def succeeding(project, change, target=CLIPS):
    result = run(project, {"encoders": RANDOM, "tasks": ["libricount"], **change}, target)
    assert result.returncode == 0, result.stdout


def test_a_download_that_failed_continues_at_the_byte(project, host):
    hurry(project)
    change = {"datasets": {"libricount": serve(host, project, "libricount")}}
    path = "/libricount/LibriCount10-0dB.zip"
    host.cut[path] = [70_000, *[0] * 6]
    failing(project, change, "libricount: http")
    assert not project.path(ARCHIVE).exists()
    host.cut.clear()
    host.asked.clear()
    succeeding(project, change)
    assert host.asked == [(path, "bytes=65536-")]


def test_a_checked_archive_outlives_changes_of_code_and_configuration_and_hosts_that_are_away(project, host):
    hurry(project)
    write_zip(host.folder / "birds.zip", FILES["folder"]())
    archive = project.path("resources/downloads/birds/archive")

    def prepared(**keys):
        task = {"format": "folder", "url": f"{host.address}/birds.zip", "label": "letter", "clip_s": 1, **keys}
        change = {"encoders": RANDOM, "tasks": ["birds"], "own_tasks": {"birds": task}}
        return run(project, change, "resources/datasets/birds/clips.csv")

    assert prepared().returncode == 0
    before = archive.stat()
    host.close()
    hurry(project)  # a change of the code
    script = project.path("workflow_scripts/download.py")
    script.write_text(f"{script.read_text()}\n# changed\n")
    result = prepared(checksum=f"sha256:{checksum(archive)}")
    assert result.returncode == 0, result.stdout
    assert "archive is here already" in result.stdout
    result = prepared(url="http://127.0.0.1:1/a.zip")
    assert result.returncode != 0
    assert "birds: http://127.0.0.1:1/a.zip cannot be fetched" in result.stdout
    assert (archive.stat().st_ino, archive.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_member_that_points_outside_is_refused(project, host):
    source = serve(host, project, "libricount")
    files = FILES["libricount"]()
    write_zip(host.folder / "libricount/LibriCount10-0dB.zip", {**files, "../../outside.wav": b"x"})
    failing(project, {"datasets": {"libricount": source}}, "which points outside of it")
    assert not list(project.folder.rglob("outside.wav"))


def test_a_missing_member_is_named_and_a_whole_archive_continues(project, host):
    source = serve(host, project, "esc50")
    files = FILES["esc50"]()
    missing = next(name for name in files if name.endswith(".wav"))
    write_zip(host.folder / "esc50/ESC-50.zip", {name: content for name, content in files.items() if name != missing})
    change = {"datasets": {"esc50": source}, "tasks": ["esc50"], "downloads": {"noncommercial": ["esc50"]}}
    target = "resources/datasets/esc50/clips.csv"
    failing(project, change, f"1 of 20 recordings are missing, the first is {missing}", target)
    project.path("resources/downloads/esc50/ESC-50.zip").unlink()
    write_archives(host.folder / "esc50", "esc50")
    succeeding(project, change, target)


def test_a_licence_that_was_not_accepted_stops_the_run_before_anything_is_fetched(project, host):
    change = {"datasets": {"esc50": serve(host, project, "esc50")}, "tasks": ["esc50"]}
    failing(project, change, "downloads: {noncommercial: [esc50]}", "resources/datasets/esc50/clips.csv")
    assert host.asked == []
    assert not project.path("resources").exists()


def test_an_archive_that_the_disk_cannot_hold_is_refused(project, host, small_disk):
    source = serve(host, project, "libricount")
    (host.folder / "libricount/LibriCount10-0dB.zip").write_bytes(bytes(70_000_000))
    small_disk(project.path("resources"), "size=60m")
    failing(project, {"datasets": {"libricount": source}}, "needs 0.07 GB in resources/downloads/libricount")
    write_archives(host.folder / "libricount", "libricount")
    succeeding(project, {"datasets": {"libricount": source}})
