"""What a change costs, against tests/workflow/contract.yaml."""

import json

import pytest
import yaml

from doppelgangers.datasets.catalogue import DATASETS
from doppelgangers.workflow.config import Config, load
from doppelgangers.workflow.config_docs import walk
from doppelgangers.workflow.plan import STAGES, stage_slice
from tests.conftest import ROOT

CONTRACT = yaml.safe_load((ROOT / "tests/workflow/contract.yaml").read_text())
# A configuration in which every stage has something to read, and the names that it is asked for.
NAMES = {"peer": "peer", "real": "birds", "recordings": "forest"}
CONFIG = load(
    {
        "encoders": {"hear": {"peer": {"module": "peer"}}, "real": {"birds": {"recordings": "forest"}}},
        "recordings": {"forest": {"path": "/forest"}},
    }
)
LEAVES = [key for key, section, _, _ in walk(Config, Config()) if not section]


def general(key):
    """datasets.esc50.url -> datasets.*.url"""
    parts = key.split(".")
    return ".".join([parts[0], "*", parts[2]]) if parts[0] == "datasets" else key


def test_the_contract_names_every_key_once():
    assert set(CONTRACT["config"]) == {general(key) for key in LEAVES}


@pytest.mark.parametrize("key", LEAVES)
def test_a_key_is_in_the_params_of_the_rules_that_it_should_rerun(key):
    for dataset in DATASETS:
        holding = set()
        for stage in STAGES:
            node = stage_slice(CONFIG, stage, dataset=dataset, **NAMES)
            for part in key.split("."):
                node = node.get(part, {}) if isinstance(node, dict) else {}
            if node != {}:
                holding.add(stage)
        own = not key.startswith("datasets.") or key.split(".")[1] == dataset
        assert holding == (set(CONTRACT["config"][general(key)]) if own else set())


def test_params_are_sorted_plain_builtins():
    for stage in STAGES:
        content = stage_slice(CONFIG, stage, dataset="esc50", **NAMES)
        assert json.loads(json.dumps(content, sort_keys=True)) == content
        assert list(json.dumps(content)) == list(json.dumps(content, sort_keys=True))


@pytest.mark.workflow
@pytest.mark.parametrize("entry", CONTRACT["dry_run"], ids=lambda entry: json.dumps(entry.get("change") or entry["replace"][1]))
def test_snakemake_reruns_what_the_contract_says(finished, entry, tmp_path):
    overlay = tmp_path / "change.yaml"
    overlay.write_text(yaml.safe_dump(entry.get("change", {})))
    if "code" not in entry:
        assert finished.jobs(config=(overlay,)) == entry["jobs"]
        return
    source = finished.path(f"doppelgangers/{entry['code']}")
    original = source.read_text()
    assert entry["replace"][0] in original
    source.write_text(original.replace(*entry["replace"]))
    try:
        assert finished.jobs() == entry["jobs"]
    finally:
        source.write_text(original)
