"""What can be wrong, through the whole workflow: a message that names the culprit and the remedy, and nothing half-written."""

import pytest
import yaml

from tests.archives import write_zip
from tests.miniatures import COMMIT, esc50_files

pytestmark = pytest.mark.workflow


def fails(project, change, *messages, target="all"):
    overlay = project.path("change.yaml")
    overlay.write_text(yaml.safe_dump(change))
    result = project.run(config=(overlay,), target=target)
    assert result.returncode != 0
    for message in messages:
        assert message in result.stdout
    assert "Traceback" not in result.stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pretrain": {"learning_ratee": 1}}, "pretrain.learning_ratee: unknown key; did you mean learning_rate?"),
        ({"encoders": {"architectures": ["moog"]}}, "encoders.architectures.0 = 'moog': Input should be 'voice', 'voicefm'"),
        ({"encoders": {"deltas": ["-1"]}}, "encoders.deltas.0 = '-1': must be a finite number that is 0 or larger"),
        ({"tasks": ["esc50"], "datasets": {"esc50": {"path": "/nowhere"}}}, "datasets.esc50.path: /nowhere does not exist"),
    ],
)
def test_a_fault_in_the_configuration_stops_everything_at_once(project, change, message):
    fails(project, change, message)
    assert not project.path("results").exists()


ONLY_ESC50 = {
    "tasks": ["esc50"],
    "encoders": {"architectures": [], "random_init": True},
    "downloads": {"noncommercial": ["esc50"]},
}


def test_a_truncated_wav_is_named(project, tmp_path):
    files = esc50_files()
    name = f"ESC-50-{COMMIT}/audio/4-101-A-1.wav"
    files[name] = files[name][:-2000]
    archive = write_zip(tmp_path / "truncated.zip", files)
    source = {"datasets": {"esc50": {"url": archive.as_uri(), "checksum": "none"}}}
    fails(project, {**ONLY_ESC50, **source}, "esc50: 1 of 20 clips are damaged", "4-101-A-1.wav is truncated: 2000 of its")
    assert not list(project.path("resources/datasets").rglob("*.*"))


def test_a_wrong_checksum_is_named_and_the_archive_not_kept(project, esc50_zip):
    source = {"datasets": {"esc50": {"url": esc50_zip.as_uri()}}}
    fails(
        project,
        {**ONLY_ESC50, **source},
        f"esc50: {esc50_zip.as_uri()} has md5",
        'datasets.esc50.checksum to its own or to "none"',
    )
    assert not any(path.is_file() for path in project.path("resources").rglob("*"))


def test_a_read_only_results_folder_is_named(project, small_disk):
    small_disk(project.path("results"), "ro")
    fails(project, {}, f"{project.path('results')} cannot be written")


def test_a_full_disk_is_named_before_the_run(project, small_disk):
    small_disk(project.path("results"), "size=1m")
    fails(project, {}, f"the disk of {project.path('results')} is full (1 MB are free)")


def test_a_disk_that_the_pairs_do_not_fit_on_is_named_before_they_are_made(project, small_disk):
    small_disk(project.path("results"), "size=60m")
    message = "the store of 1024 voice pairs needs 0.07 GB in results/pairs/voice-0.05, and 0.06 GB are free"
    fails(project, {}, message, target="results/pairs/voice-0.05/manifest.json")
    assert not list(project.path("results/pairs").rglob("shard*"))
