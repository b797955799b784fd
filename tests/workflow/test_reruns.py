"""What a change costs, against tests/workflow/contract.yaml."""

import ast
import collections
import copy
import json
import re
import subprocess
import sys
import types
from typing import Any, Literal, get_args, get_origin

import annotated_types
import pytest
import yaml
from snakemake.iocontainers import Wildcards

from doppelgangers.datasets.catalogue import DATASETS, TASKS
from doppelgangers.settings import Section
from doppelgangers.workflow.config import Config, load
from doppelgangers.workflow.digest import SCRIPTS, affects_results, reach
from tests.conftest import ROOT
from tests.workflow import reruns_page
from tests.workflow.parsed import needs, parse
from tests.workflow.reruns_page import CONTRACT

# A configuration in which every rule has a job and every key counts, so that a change of it can show.
BASE: dict[str, Any] = {
    "encoders": {
        "augmentations": ["none", "waveform"],
        "real": {"birds": {"recordings": "forest", "augmentation": "waveform"}},
        "released": {"tones": "pretrained/voice-0.05-small"},
        "selected": {"sure": {"architecture": "voice", "delta": "0.05", "keep": "certain"}},
        "peers": {"theirs": {"module": "theirs"}},
    },
    "recordings": {"forest": {"path": str(ROOT / "docs")}, "woods": {"path": str(ROOT / "docs")}},
    "pairs": {"perturbation": "anisotropic", "factors": {"pitch": 2.0}},
    "pretrain": {"gpus": 1, "snapshots": [12800]},
    "analysis": {"architectures": ["voice", "voicefm"]},
    "listening_test": {"ratings": str(ROOT / "docs")},
    "tasks": ["pitch", "nsynth_pitch", "owls"],
    "probe": {"confusions": ["pitch"]},
    "own_tasks": {"owls": {"format": "folder", "path": str(ROOT / "docs")}},
    "datasets": {"esc50": {"limit_clips": 0}, "nsynth_pitch": {"path": str(ROOT / "docs")}},
}
NAMES = {
    "architecture": "voice",
    "delta": "0.05",
    "seed": "0",
    "recordings": "forest",
    "dataset": "esc50",
    "file": "ESC-50.zip",
}
OWN = {"dataset": "owls", "task": "owls"}
# The jobs that are looked at: one of each rule, and those of the user's own task.
JOBS: list[tuple[str, dict[str, str]]] = [
    *((rule, {}) for rule in ("generate_pairs", "sample_pairs", "write_listening_page", "initialize", "decode_recordings")),
    *((rule, {}) for rule in ("download", "prepare", "collect_scores", "make_table", "plot_scores", "plot_training")),
    ("pretrain", {"setting": "voice-0.05-waveform"}),
    ("pretrain_on_recordings", {"setting": "birds"}),
    ("adopt", {"setting": "tones"}),
    ("register_peer", {"setting": "theirs"}),
    ("extract_peer_features", {"setting": "theirs"}),
    ("sample_synthetic_sounds", {"sounds": "voice-0.05"}),
    *(("sample_dataset_sounds", {"sounds": name}) for name in ("notes", "nsynth_pitch", "owls")),
    ("sample_recorded_sounds", {"sounds": "recordings-forest"}),
    ("sample_noise", {"sounds": "noise"}),
    *((rule, {}) for rule in ("write_listening_test", "analyse_ratings")),
    *((rule, {}) for rule in ("compare_features", "measure_distances")),
    ("measure_features", {"sounds": "voice-0.05"}),
    ("embed_sounds", {"setting": "random_init", "sounds": "noise"}),
    *(("tag_sounds", {"tagger": tagger, "sounds": "voice-0.05"}) for tagger in ("aisfx", "mn04", "ast")),
    ("measure_uncertainty", {}),
    ("measure_similarity", {}),
    *(("tag_candidates", {"tagger": tagger}) for tagger in ("aisfx", "mn04", "ast")),
    ("select_pairs", {"selection": "sure"}),
    ("pretrain", {"setting": "sure"}),
    ("measure_confusions", {"task": "pitch", "setting": "voice-0.05"}),
    ("summarize_confusions", {}),
    *((rule, {}) for rule in ("compare_scores", "judge_claims", "write_tables", "write_report")),
    *((f"plot_{figure}", {}) for figure in ("comparisons", "snapshots", "features", "uncertainty", "embeddings", "similarity")),
    ("plot_spectrograms", {"architecture": "voice"}),
    ("plot_confusions", {"task": "pitch"}),
    ("extract_features", {"setting": "voice-0.05"}),
    ("write_hear_task", {"task": "esc50"}),
    ("train_linear_probes", {"task": "pitch", "setting": "voice-0.05"}),
    ("train_linear_probes", {"task": "pitch", "setting": "random_init"}),
    ("train_mlp_probes", {"task": "nsynth_pitch", "setting": "voice-0.05"}),
    ("prepare", OWN),
    ("write_hear_task", OWN),
    ("train_linear_probes", {**OWN, "setting": "voice-0.05"}),
]
# Where the next value that the type allows would not do: another one, and what has to change with it.
OTHER: dict[str, Any] = {
    "encoders.architectures": ["voice", "voicefm"],
    "encoders.deltas": ["0.05", "0.1", "0.25"],
    "encoders.augmentations": ["none", "waveform", "spec"],
    "encoders.random_seeds": [0, 1],
    "encoders.seeds": [0, 1],
    "encoders.further": [{"architectures": ["voice"], "deltas": ["0.5"], "augmentations": ["spec"]}],
    "encoders.real.*.recordings": "woods",
    "encoders.real.*.augmentation": "spec",
    "encoders.selected.*.delta": "0.5",
    "encoders.released.*": str(ROOT / "pretrained/voice-0.05-small"),
    "synth.peak": {"synth": {"peak": "first_of_batch"}, "pretrain": {"source": "stream"}},
    "recordings.*.path": str(ROOT / "tests"),
    "pairs.perturbation": {"pairs": {"perturbation": "gaussian", "factors": {"pitch": 1.0}}},
    "pretrain.gpus": "auto",
    "pretrain.ranks": {"pretrain": {"gpus": 0, "ranks": 2}},
    "pretrain.nodes": {"pretrain": {"gpus": 2, "nodes": 2}},
    "pretrain.batch_pairs": 64,
    "pretrain.milestones": [0.5],
    "pretrain.snapshots": [25600],
    "tasks": ["pitch", "nsynth_pitch", "owls", "percussion"],
    "own_tasks.*.url": {"own_tasks": {"owls": {"url": "https://example.org/owls.zip", "path": ""}}},
    "own_tasks.*.path": str(ROOT / "tests"),
    "own_tasks.*.metrics": ["mAP"],
    "own_tasks.*.multilabel": {"own_tasks": {"owls": {"multilabel": True, "metrics": ["mAP"]}}},
    "own_tasks.*.checksum": "none",
    "downloads.noncommercial": ["esc50"],
    "datasets.*.url": "https://example.org/ESC-50.zip",
    "datasets.*.path": str(ROOT / "docs"),
    "datasets.*.checksum": "none",
    "probe.also": ["mlp"],
    "analysis.architectures": ["voice", "voicefm", "additive"],
    "listening_test.ratings": str(ROOT / "tests"),
    "probe.confusions": ["owls"],
    "comparisons.against": ["tones"],
    "mlp.hidden": [1],
    "analysis.deltas": ["0.05", "0.25"],
    "analysis.taggers": ["mn04"],
    "analysis.uncertainty": ["top"],
    "analysis.encoders": ["random_init"],
    "mlp.learning_rates": [0.001],
    "mlp.inits": ["xavier_normal"],
}
ENTRY = {
    "real": "birds",
    "released": "tones",
    "selected": "sure",
    "peers": "theirs",
    "recordings": "forest",
    "own_tasks": "owls",
    "datasets": "esc50",
}


def leaves(model: type[Section], prefix: str = "") -> dict[str, Any]:
    """Dotted key -> field, of every key of the configuration; * stands for a name that the user gives."""
    found = {}
    for name, field in model.model_fields.items():
        kind = field.annotation
        entry = get_args(kind)[1] if get_origin(kind) is dict else None
        if isinstance(entry, type) and issubclass(entry, Section):
            found.update(leaves(entry, f"{prefix}{name}.*."))
        elif entry:
            found[f"{prefix}{name}.*"] = field
        elif isinstance(kind, type) and issubclass(kind, Section):
            found.update(leaves(kind, f"{prefix}{name}."))
        else:
            found[f"{prefix}{name}"] = field
    return found


LEAVES = leaves(Config)


def place_of(key: str) -> list[str]:
    """The path of a key in `BASE`."""
    parts = key.split(".")
    return [ENTRY[parts[i - 1]] if part == "*" else part for i, part in enumerate(parts)]


def other_value(key: str, present: Any) -> Any:
    """A value that the schema allows, and that is not the present one."""
    field = LEAVES[key]
    options = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    if options:
        return next(option for option in options if option != present)
    if isinstance(present, bool):
        return not present
    if isinstance(present, int | float):
        most = [rule.le for rule in field.metadata if isinstance(rule, annotated_types.Le)]
        step = 0.5 if isinstance(present, float) else 1
        return present - step if most and present + step > most[0] else present + step
    assert isinstance(present, str), f"{key}: say in OTHER what it can be changed to"
    return f"{present}x"


def changed(key: str) -> dict:
    """`BASE` with another value of one key."""
    config = copy.deepcopy(BASE)
    *path, last = place_of(key)
    if isinstance(OTHER.get(key), dict):
        return merge(config, OTHER[key])
    present: Any = load(BASE)
    for part in [*path, last]:
        present = present[part] if isinstance(present, dict) else getattr(present, part)
    node = config
    for part in path:
        node = node.setdefault(part, {})
    node[last] = OTHER[key] if key in OTHER else other_value(key, present)
    return config


def merge(config: dict, change: dict) -> dict:
    for key, value in change.items():
        config[key] = merge(config.get(key, {}), value) if isinstance(value, dict) else value
    return config


@pytest.fixture(scope="module")
def before():
    return all_needs(BASE)


def all_needs(config: dict) -> list[dict | None]:
    """What each of the `JOBS` depends on; None for one that there is no more."""
    rules = parse(config)
    found: list[dict | None] = []
    for rule, wildcards in JOBS:
        patterns = [(name, rules[rule].wildcard_constraints.get(name, "")) for name in ("task", "sounds")]
        there = all(not pattern or re.fullmatch(pattern, wildcards[name]) for name, pattern in patterns)
        found.append(needs(rules[rule], {**NAMES, **wildcards}) if there else None)
    return found


def of(promised: list[str] | str) -> set[str]:
    """The rules that the contract names for a key or a module; none where it has a reason instead."""
    return set() if isinstance(promised, str) else set(promised)


def test_the_contract_names_every_key():
    assert set(CONTRACT["config"]) == set(LEAVES)
    assert set(CONTRACT["notes"]) <= set(LEAVES)


def test_the_tables_of_the_page_do_not_drift():
    assert reruns_page.PAGE.read_text() == reruns_page.render(), "run `make docs`"
    after = "MLP probes, scores.csv, table, comparisons, figures, verdicts on claims, table for papers, report"
    assert reruns_page.made_again(["train_mlp_probes"]) == after


@pytest.mark.parametrize("part", ["config", "modules"])
def test_what_reruns_nothing_has_a_reason(part):
    """A key or a module that is dead would be an empty list here."""
    for name, promised in CONTRACT[part].items():
        assert isinstance(promised, list | str), name
        assert len(promised) > (20 if isinstance(promised, str) else 0), name


def test_every_rule_has_a_job_that_is_looked_at():
    assert {rule for rule, _ in JOBS} == set(CONTRACT["rules"]) == set(parse(BASE)) - {"all"}


@pytest.mark.parametrize("key", LEAVES)
def test_a_key_changes_the_needs_of_the_rules_that_it_should_rerun(before, key):
    after = all_needs(changed(key))
    touched = {rule for (rule, _), old, new in zip(JOBS, before, after, strict=True) if old != new}
    assert touched == of(CONTRACT["config"][key])


def test_one_datasets_keys_do_not_reach_another(before):
    after = all_needs(merge(copy.deepcopy(BASE), {"datasets": {"libricount": {"limit_clips": 5, "checksum": "none"}}}))
    assert after == before


def test_the_order_of_keys_changes_nothing():
    config = merge(copy.deepcopy(BASE), {"encoders": {"real": {"logs": {"recordings": "woods"}}}})

    def reversed_keys(node):
        return {key: reversed_keys(node[key]) for key in reversed(node)} if isinstance(node, dict) else node

    assert list(reversed_keys(config)["encoders"]["real"]) == ["logs", "birds"]
    assert all_needs(reversed_keys(config)) == all_needs(config)


def test_params_are_plain_builtins_in_order(before):
    for job in before:
        assert json.dumps(job["config"]) == json.dumps(json.loads(json.dumps(job["config"])), sort_keys=True)
        assert isinstance(job["code"], str)


def modules() -> dict[str, ast.Module]:
    """The modules of the package, by their names relative to it."""
    package = ROOT / "doppelgangers"
    return {
        ".".join(path.relative_to(package).with_suffix("").parts): ast.parse(path.read_text()) for path in package.rglob("*.py")
    }


def test_the_contract_names_every_module():
    """But those that have a docstring at most."""
    docstrings = {name for name, tree in modules().items() if {type(node) for node in tree.body} <= {ast.Expr}}
    assert {name.rpartition(".")[2] for name in docstrings} == {"__init__"}
    assert set(CONTRACT["modules"]) == set(modules()) - docstrings
    assert len(CONTRACT["modules"]) > 80


def test_an_edit_of_a_module_reruns_the_rules_that_the_contract_names():
    """With the readers of all datasets and formats, since a job of these rules has that of its own dataset."""
    rules = parse(merge(copy.deepcopy(BASE), {"own_tasks": {"hoots": {"format": "hear", "path": str(ROOT / "docs")}}}))
    own = ["owls", "hoots"]
    datasets = [{"dataset": name} for name in [*own, *(name for name, row in DATASETS.items() if row.module)]]
    jobs = [
        *JOBS,
        *(("prepare", names) for names in datasets),
        *(("extract_peer_features", {**names, "setting": "theirs"}) for names in datasets),
        *(("write_hear_task", {"task": name}) for name in [*own, *TASKS]),
    ]
    found = collections.defaultdict(set)
    for rule, wildcards in jobs:
        code = dict(rules[rule].params._allitems())["code"]
        *functions, _ = code(Wildcards(fromdict={**NAMES, **wildcards})).split()
        for module, _ in reach(*functions):
            found[module].add(rule)
    promised = {module: of(rules) for module, rules in CONTRACT["modules"].items() if of(rules)}
    assert found == promised | {f"{SCRIPTS}.{rule}": {rule} for rule in CONTRACT["rules"]}


def test_modules_that_do_not_count_have_a_reason():
    """Those that say so of themselves, and those that no rule uses."""
    silent = {module for module, promised in CONTRACT["modules"].items() if isinstance(promised, str)}
    assert {module for module in CONTRACT["modules"] if not affects_results(module)} < silent


@pytest.mark.workflow
@pytest.mark.parametrize("entry", CONTRACT["dry_run"], ids=lambda entry: json.dumps(entry.get("change") or entry["replace"][1]))
def test_snakemake_reruns_what_the_contract_says(finished, entry, tmp_path):
    overlay = tmp_path / "change.yaml"
    overlay.write_text(yaml.safe_dump(entry.get("change", {})))
    if "change" in entry:
        assert finished.jobs(config=(overlay,)) == entry["jobs"]
        return
    file = entry.get("file") or f"doppelgangers/{entry['code']}"
    with edited(finished.path(file), *entry["replace"]):
        assert finished.jobs() == entry["jobs"]


class edited:
    """Replaces a text in a file, for the time of a `with` block."""

    def __init__(self, path, old, new):
        self.path, self.old, self.new = path, old, new

    def __enter__(self):
        self.original = self.path.read_text()
        assert self.original.count(self.old) == 1, f"{self.path} holds {self.old!r} {self.original.count(self.old)} times"
        self.path.write_text(self.original.replace(self.old, self.new))

    def __exit__(self, *_: types.TracebackType | type | BaseException | None):
        self.path.write_text(self.original)


@pytest.mark.workflow
def test_a_harmless_change_of_code_can_be_accepted_and_a_change_of_the_configuration_not(finished, tmp_path):
    overlay = tmp_path / "change.yaml"
    overlay.write_text("pretrain: {learning_rate: 0.01}")
    accepted = finished.path("logs/accepted.json")

    def accept(*names):
        command = [sys.executable, "-m", "doppelgangers.workflow.accept", *names]
        return subprocess.run(command, cwd=finished.folder, capture_output=True, text=True)

    assert accept().stdout == "nothing has changed since the results were made\n"
    try:
        with edited(finished.path("doppelgangers/pretraining/losses.py"), "4.0 * (x @ x.T) - 4.0", "4.0 * ((x @ x.T) - 1.0)"):
            assert set(finished.jobs()) >= {"pretrain", "make_table"}
            assert accept("pretraining.pretrain.train").returncode != 0  # not a function that a rule calls
            done = accept("pretraining.pretrain.pretrain")
            assert done.returncode == 0, done.stderr
            assert "accepted 1 changes" in done.stdout
            assert finished.jobs() == {}
            assert set(finished.jobs(config=(overlay,))) >= {"pretrain", "make_table"}
        assert finished.jobs() == {}  # the code that made the results
        with edited(finished.path("doppelgangers/pretraining/losses.py"), "4.0 * (x @ x.T) - 4.0", "5.0 * (x @ x.T) - 5.0"):
            assert set(finished.jobs()) >= {"pretrain", "make_table"}  # another change is not accepted with it
    finally:
        accepted.unlink(missing_ok=True)
