import inspect

import pytest
import yaml

from doppelgangers.config import STAGES, Config, check_sources, load, stage_slice
from doppelgangers.config_docs import ROOT, products
from doppelgangers.errors import UserError


def test_generated_files_do_not_drift():
    for path, text in products().items():
        assert path.read_text() == text, f"{path.name} differs from the schema: run `make docs`"


def test_environment_pins_equal_the_lock():
    namespace = {"__file__": str(ROOT / "envs/write_environment.py"), "__name__": "environment"}
    exec((ROOT / "envs/write_environment.py").read_text(), namespace)
    assert (ROOT / "envs/doppelgangers.yaml").read_text() == namespace["render"](), "run `make lock`"


@pytest.mark.parametrize("overlay", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_overlays_are_valid(overlay):
    load(yaml.safe_load(overlay.read_text()))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"pretrain": {"learning_ratee": 1}}, r"pretrain.learning_ratee: unknown key; did you mean learning_rate\?"),
        ({"datasets": {"esc50": {"uri": ""}}}, r"datasets.esc50.uri: unknown key; did you mean url\?"),
        ({"zzz": 1}, r"zzz: unknown key; known keys: encoders, synth"),
        ({"encoders": {"architectures": ["moog"]}}, r"encoders.architectures.0 = 'moog': .*'voice', 'voicefm' or 'parametric'"),
        ({"encoders": {"deltas": ["-0.1"]}}, r"encoders.deltas.0 = '-0.1': must be a finite number that is 0 or larger"),
        ({"encoders": {"deltas": ["much"]}}, r"encoders.deltas.0 = 'much': must be a number"),
        ({"encoders": {"deltas": ["0.1", "0.10"]}}, r"encoders.deltas = .*names an entry twice"),
        ({"encoders": {"random_init": False, "deltas": []}}, r"encoders: nothing to evaluate"),
        ({"pretrain": {"batch_pairs": 1}}, r"pretrain.batch_pairs = 1: .*greater than or equal to 2"),
        ({"pretrain": {"pairs": 100}}, r"pretrain.pairs \(100\) is less than one batch \(128\)"),
        ({"pairs": {"count": 100}}, r"pairs.count \(100\) is less than pretrain.batch_pairs \(128\)"),
        ({"tasks": ["pich"]}, r"tasks.0 = 'pich'"),
        ({"tasks": []}, r"tasks = \[\]"),
        ({"datasets": {"esc50": {"url": "ftp://x"}}}, r"datasets.esc50.url = 'ftp://x': must start with http"),
        ({"datasets": {"esc50": {"checksum": "md5:12"}}}, r"datasets.esc50.checksum = 'md5:12': must be"),
        ({"datasets": {"esc50": {"url": "https://x", "path": "/y"}}}, r"datasets.esc50: set url or path, not both"),
        ({"encoder": None}, r"encoder = None"),
    ],
)
def test_faults_are_named(raw, message):
    with pytest.raises(UserError, match=message):
        load(raw)


def test_all_faults_are_said_at_once():
    with pytest.raises(UserError, match=r"(?s)encoder.width.*probe.epochs"):
        load({"encoder": {"width": 0}, "probe": {"epochs": 0}})


def test_numbers_that_yaml_reads_as_text_are_numbers():
    assert load(yaml.safe_load("pretrain: {learning_rate: 1e-3}")).pretrain.learning_rate == 0.001
    assert load(yaml.safe_load("encoders: {deltas: [0.10, 1e-2]}")).encoders.deltas == ["0.1", "0.01"]


@pytest.mark.parametrize(("key", "value"), [("path", "/nowhere/esc50.zip"), ("url", "file:///nowhere/esc50.zip")])
def test_a_local_source_that_is_not_there_is_named_before_anything_runs(key, value):
    config = load({"tasks": ["esc50"], "datasets": {"esc50": {key: value}}})
    with pytest.raises(UserError, match=rf"datasets.esc50.{key}: /nowhere/esc50.zip does not exist"):
        check_sources(config)
    check_sources(load({"datasets": {"esc50": {key: value}}}))  # not in use


# Keys that a stage gets from elsewhere than its keyword of the same name.
ELSEWHERE = {"pretrain": {"perturbation", "duration_s", "control_rate_hz"}, "prepare": {"url", "path"}}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stages_keywords_are_the_keys_of_its_sections(stage):
    module, _ = STAGES[stage]
    function = getattr(__import__(f"doppelgangers.{module}", fromlist=[stage]), stage)
    sections = stage_slice(Config(), stage, "esc50")
    keys = set()
    for name, section in sections.items():
        keys |= set(section["esc50"] if name == "datasets" else section)
    assert keys - ELSEWHERE.get(stage, set()) <= set(inspect.signature(function).parameters)


def test_architectures_and_perturbations_are_those_of_the_code():
    from doppelgangers.perturb import PERTURBATIONS
    from doppelgangers.pretrain import OPTIMIZERS
    from doppelgangers.synth import ARCHITECTURES

    schema = Config.model_json_schema()["$defs"]
    assert schema["Encoders"]["properties"]["architectures"]["items"]["enum"] == list(ARCHITECTURES)
    assert [schema["Pairs"]["properties"]["perturbation"]["const"]] == list(PERTURBATIONS)
    assert schema["Pretrain"]["properties"]["optimizer"]["enum"] == list(OPTIMIZERS)
