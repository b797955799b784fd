"""From a cell of the table to everything that it was made from."""

import re

import pytest

from doppelgangers.files import checksum, write_json
from doppelgangers.provenance import made_of, recorded_checksum
from doppelgangers.workflow.explain import main

TABLE = "encoder,source,seeds,pairs,esc50,esc50_std\nvoice-0.25,synthetic,2,128,45.0,5.0\nrandom_init,random_init,1,0,20.0,\n"
SCORES = """encoder,seed,task,fold,metric,score
voice-0.25,0,esc50,1,accuracy,0.4
voice-0.25,0,esc50,2,accuracy,0.5
voice-0.25,1,esc50,1,accuracy,0.45
random_init,0,esc50,1,accuracy,0.2
voice-0.25,0,pitch,1,accuracy,0.99
"""
ENCODER = "results/encoders/voice-0.25/seed=0"


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A run's files with their records, from an archive and sounds of the user's to the table."""
    monkeypatch.chdir(tmp_path)

    def make(rule, output, text, inputs=(), more=(), **config):
        for path in (tmp_path / name for name in (output, *more)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        paths = [tmp_path / name for name in (output, *more)]
        record = {
            **{"rule": rule, "wildcards": {"of": output}, "config": config, "code": f"some.{rule} 0123", "commit": "abc1234"},
            **{
                "versions": {"torch": "2.14.1"},
                "environment": {},
                "python": "3.11.7",
                "machine": "Linux, 2 cores, H100",
            },
            **{"threads": 2, "started": "2026-11-26T03:22:50+00:00", "seconds": 105.8, "peak_memory_mb": 812},
            "inputs": {name: recorded_checksum(tmp_path / name) for name in inputs},
            "files": {path.name: {"bytes": path.stat().st_size, "sha256": checksum(path)} for path in paths},
        }
        write_json(made_of(tmp_path / output), record)

    make("download", "resources/archives/esc50/a.zip", "zip")
    make("prepare", "resources/datasets/esc50/clips.csv", "c", ["resources/archives/esc50/a.zip"])
    make("generate_pairs", "results/pairs/voice-0.25/manifest.json", "{}", pairs={"count": 128})
    card = [f"{ENCODER}/encoder.json"]
    make("pretrain", f"{ENCODER}/encoder.safetensors", "w", ["results/pairs/voice-0.25/manifest.json", "/my/echoes"], card)
    features = "results/features/esc50/voice-0.25/seed=0.npy"
    make("extract_features", features, "f", [f"{ENCODER}/encoder.safetensors", *card, "resources/datasets/esc50/clips.csv"])
    probe = "results/probes/esc50/voice-0.25.csv"
    make("train_linear_probes", probe, "p", ["resources/datasets/esc50/clips.csv", features])
    make("collect_scores", "results/scores.csv", SCORES, [probe, *card])
    make("make_table", "results/table.csv", TABLE, ["results/scores.csv"])
    make("pretrain", "results/encoders/other/seed=0/encoder.safetensors", "o")
    return tmp_path


def test_a_cell_leads_to_its_scores_and_to_all_that_made_it_once(study, capsys):
    main(["voice-0.25", "esc50"])
    text = capsys.readouterr().out
    assert text.startswith("voice-0.25, esc50: 45.0 ± 5.0 over folds and seeds\n")
    assert "  accuracy, seed 0, by fold  1: 0.4, 2: 0.5\n  accuracy, seed 1, by fold  1: 0.45\n" in text
    rules = re.findall(r"^  by +(\w+) ", text, re.MULTILINE)
    made = ["make_table", "collect_scores", "train_linear_probes", "prepare", "extract_features", "download", "pretrain"]
    assert rules == [*made, "generate_pairs"]
    for part in (
        "  code     some.pretrain 0123, commit abc1234\n",
        "  when     2026-11-26T03:22:50+00:00, 105.8 s, 812 MB of memory at most\n",
        "  where    Linux, 2 cores, H100; 2 threads\n",
        "  with     python 3.11.7, torch 2.14.1\n",
        f"  wrote    encoder.json, 1 bytes, sha256 {checksum(study / ENCODER / 'encoder.json')[:12]}\n",
        "    pairs: {count: 128}\n",
        "/my/echoes\n  of your own; ",
    ):
        assert part in text
    assert "ANOTHER ONE NOW" not in text
    assert "other/seed=0" not in text


def test_what_was_replaced_since_is_said(study, capsys):
    (study / "results/pairs/voice-0.25/manifest.json").write_text("{...}")
    (study / "resources/archives/esc50/a.zip").unlink()
    main(["voice-0.25", "esc50"])
    text = capsys.readouterr().out
    assert "results/pairs/voice-0.25/manifest.json\n  no record of what made it, or replaced since\n" in text
    assert re.search(r"read     results/pairs/voice-0\.25/manifest\.json, sha256 \w{12}, WHICH IS ANOTHER ONE NOW", text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["voice", "esc50"], "ERROR: the table has no encoder voice; it has voice-0.25, random_init"),
        (["voice-0.25", "seeds"], "ERROR: the table has no column seeds; it has esc50"),
        (["voice-0.25", "esc50", "--table", "no.csv"], "ERROR: there is no no.csv: name the table of a run with --table"),
    ],
)
def test_unknown_names_are_answered_with_those_that_there_are(study, arguments, message):
    with pytest.raises(SystemExit, match=re.escape(message)):
        main(arguments)
