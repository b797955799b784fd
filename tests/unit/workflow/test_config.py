import pytest
import yaml
from snakemake.utils import update_config

from doppelgangers.errors import UserError
from doppelgangers.workflow.checks import check_analysis, check_licences, check_sources
from doppelgangers.workflow.config import Config, load
from doppelgangers.workflow.config_docs import ROOT, products
from doppelgangers.workflow.plan import columns_of, datasets_of, inputs_of, slice_of, synthetic_encoders, tasks_of


def test_generated_files_do_not_drift():
    for path, text in products().items():
        assert path.read_text() == text, f"{path.name} differs from the schema: run `make docs`"


def test_config_yaml_has_every_key_with_the_default_of_the_schema():
    """It is the user's file: it is checked here, and never written."""
    assert yaml.safe_load((ROOT / "config.yaml").read_text()) == Config().model_dump(mode="json")


def test_environment_pins_equal_the_lock():
    namespace = {"__file__": str(ROOT / "envs/write_environment.py"), "__name__": "environment"}
    exec((ROOT / "envs/write_environment.py").read_text(), namespace)
    for path, text in namespace["render"]().items():
        assert path.read_text() == text, "run `make lock`"


OVERLAYS = sorted(path for path in (ROOT / "configs").rglob("*.yaml") if path.stem != "claims")


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_overlays_are_valid(overlay):
    load(yaml.safe_load(overlay.read_text()))


def selected(**changes):
    return {"encoders": {"selected": {"some": {"architecture": "voice", "delta": "0.25", "keep": "certain", **changes}}}}


def named(*tasks, also=()):
    """A configuration with the user's own tasks of these names, and further kinds of probe."""
    return {
        "own_tasks": {task: {"format": "folder", "path": "/x"} for task in tasks},
        "probe": {"also": list(also)},
    }


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"pretrain": {"learning_ratee": 1}}, r"pretrain.learning_ratee: unknown key; did you mean learning_rate\?"),
        ({"datasets": {"esc50": {"uri": ""}}}, r"datasets.esc50.uri: unknown key; did you mean url\?"),
        ({"zzz": 1}, r"zzz: unknown key; known keys: encoders, recordings"),
        ({"encoders": {"hear": {}}}, r"encoders.hear: unknown key; it is called encoders.peers now"),
        ({"datasets": {"esc5": {}}}, r"datasets: 'esc5' is unknown; did you mean esc50\?"),
        ({"encoders": {"architectures": ["moog"]}}, r"encoders.architectures.0 = 'moog': .*'voice', 'voicefm', 'parametric'"),
        ({"encoders": {"deltas": ["-0.1"]}}, r"encoders.deltas.0 = '-0.1': must be a finite number that is 0 or larger"),
        ({"encoders": {"deltas": ["much"]}}, r"encoders.deltas.0 = 'much': must be a number"),
        ({"encoders": {"deltas": ["0.1", "0.10"]}}, r"encoders.deltas = .*names an entry twice"),
        ({"encoders": {"random_init": False, "deltas": []}}, r"encoders: nothing to evaluate"),
        ({"pretrain": {"batch_pairs": 1}}, r"pretrain.batch_pairs = 1: .*greater than or equal to 2"),
        ({"pretrain": {"pairs": 100}}, r"pretrain.pairs \(100\) is less than one batch \(128\)"),
        ({"pairs": {"count": 100}}, r"pairs.count \(100\) is less than pretrain.batch_pairs \(128\)"),
        ({"pairs": {"factors": {"pitch": 0}}}, r"pairs.factors: gaussian has none; set pairs.perturbation to anisotropic"),
        ({"pairs": {"factors": {"pich": 0}}}, r"pairs.factors.pich: unknown key; did you mean pitch\?"),
        ({"tasks": ["pich"]}, r"tasks: 'pich' is unknown; did you mean pitch\?"),
        ({"downloads": {"noncommercial": ["esc5"]}}, r"downloads.noncommercial: 'esc5' is unknown; did you mean esc50\?"),
        ({"own_tasks": {"birds": {"format": "folder"}}}, r"own_tasks.birds = .*set url or path"),
        ({"own_tasks": {"birds": {"path": "/x"}}}, r"own_tasks.birds.format = .*required"),
        ({"own_tasks": {"birds": {"format": "folder", "path": "/x", "lable": "a"}}}, r"did you mean label\?"),
        ({"own_tasks": {"esc50": {"format": "folder", "path": "/x"}}}, r"own_tasks.esc50: the catalogue has this name already"),
        (
            {"own_tasks": {"birds": {"format": "folder", "path": "/x", "multilabel": True}}},
            r"own_tasks.birds = .*accuracy, macro_f1 needs one label a clip",
        ),
        ({"encoders": {"peers": {"a b": {"module": "x"}}}}, r"encoders.peers.a b.*: String should match pattern"),
        (
            {"encoders": {"peers": {"peer": {"module": "x", "modle": "y"}}}},
            r"encoders.peers.peer.modle: unknown key; did you mean",
        ),
        ({"datasets": {"fsd50k": {"checksum": "md5:" + "0" * 32}}}, r"datasets.fsd50k.checksum: it has several files"),
        ({"encoders": {"real": {"birds": {"recordings": "forst"}}}}, r"encoders.real: 'forst' is unknown"),
        (
            {"encoders": {"real": {"birds": {"recordings": "x", "augmentation": "none"}}}},
            r"encoders.real.birds = .*with one crop and no augmentation both views are the same",
        ),
        ({"encoders": {"real": {"birds": {"recordings": "x", "views": "jitter", "layers": 2}}}}, r"jitter and layers exclude"),
        ({"encoders": {"released": {"random_init": "x"}}}, r"encoders: 'random_init' names two encoders"),
        ({"pairs": {"perturbation": "curriculum"}}, r"a curriculum needs pairs in their order; set pretrain.source to stream"),
        ({"pretrain": {"snapshots": [256, 128]}}, r"snapshots: \[256, 128\] do not rise"),
        ({"pretrain": {"snapshots": [200]}}, r"after 200 pairs no step ends, .* \(batch_pairs\); 256 will do"),
        ({"pretrain": {"snapshots": [51200]}}, r"snapshots: 51200 are no fewer than those of the whole training, 51200"),
        ({"pretrain": {"gpus": 3}}, r"batch_pairs: 3 processes cannot share 128 pairs evenly"),
        ({"synth": {"peak": "first_of_batch"}}, r"synth.peak: a store has no batches, .*; set pretrain.source to stream"),
        ({"encoders": {"further": [{"deltass": ["0"]}]}}, r"encoders.further.0.deltass: unknown key; did you mean deltas\?"),
        ({"pretrain": {"gpus": "all"}}, r"pretrain.gpus.* = 'all'"),
        ({"probe": {"kind": "svm"}}, r"probe.kind = 'svm': Input should be 'suite', 'linear', 'mlp' or 'hear_linear'"),
        ({"probe": {"also": ["mlp", "mlp"]}}, r"probe.also = .*names an entry twice"),
        ({"probe": {"also": ["suite"]}}, r"probe.also.0 = 'suite': Input should be 'linear', 'mlp' or 'hear_linear'"),
        (named("esc50_mlp", also=["mlp"]), r"own_tasks: table.csv would have two columns called 'esc50_mlp'; rename the task"),
        (named("owls", "owls_mlp", also=["mlp"]), r"two columns called 'owls_mlp'"),
        (named("owls", "owls_hear", also=["linear", "hear_linear"]), r"two columns called 'owls_hear_linear'"),
        (named("esc50_mlp_std", also=["mlp"]), r"two columns called 'esc50_mlp_std'"),
        (named("owls", "owls_std"), r"two columns called 'owls_std'"),
        *((named(name), rf"two columns called '{name}'") for name in ("encoder", "source", "delta", "pairs", "seeds")),
        ({"probe": {"confusions": ["pich"]}}, r"probe.confusions: 'pich' is unknown; did you mean pitch\?"),
        ({"probe": {"confusions": ["fsd50k"]}}, r"probe.confusions: a clip of fsd50k has several labels"),
        (selected(keep="sure"), r"encoders.selected.some.keep = 'sure': Input should be 'certain', 'uncertain' or 'random'"),
        (selected(share=0.001), r"selected.some.share: of pairs.count \(25600\) it keeps 26, less than pretrain.batch_pairs"),
        (selected(share=1.5), r"encoders.selected.some.share = 1.5: Input should be less than or equal to 1"),
        (
            {**selected(), "pairs": {"perturbation": "curriculum"}, "pretrain": {"source": "stream"}},
            r"encoders.selected: a curriculum needs pairs in their order; set pairs.perturbation to gaussian",
        ),
        ({"tasks": []}, r"tasks = \[\]"),
        ({"datasets": {"esc50": {"url": "ftp://x"}}}, r"datasets.esc50.url = 'ftp://x': must start with http"),
        ({"datasets": {"esc50": {"checksum": "md5:12"}}}, r"datasets.esc50.checksum = 'md5:12': must be"),
        ({"datasets": {"esc50": {"url": "https://x", "path": "/y"}}}, r"datasets.esc50: set url or path, not both"),
        ({"encoder": None}, r"encoder = None"),
        ({"recordings": {"woods": {"path": "/data/{a}"}}}, r"recordings.woods.path = '/data/\{a\}': must have no \{ or \}"),
    ],
)
def test_faults_are_named(raw, message):
    with pytest.raises(UserError, match=message):
        load(raw)


def test_one_command_makes_the_papers_table_and_one_more_overlay_the_authors_run():
    config: dict = {}
    for name in ("paper", "real"):
        update_config(config, yaml.safe_load((ROOT / f"configs/{name}.yaml").read_text()))
    paper = load(config)
    architectures, deltas = ("voice", "voicefm", "parametric"), ("0.01", "0.05", "0.1", "0.25", "0.5")
    rows = {f"{name}-{delta}" for name in architectures for delta in (*deltas, "0-waveform", "0.25-waveform")}
    assert set(synthetic_encoders(paper)) == rows
    real = {name: (row.views, row.layers, row.augmentation) for name, row in paper.encoders.real.items()}
    assert real == {
        "vggsound_augmented": ("crop", 1, "waveform_per_example"),
        "vggsound_jitter": ("jitter", 1, "none"),
        "vggsound_layered": ("crop", 5, "waveform_per_example"),
    }
    assert paper.encoders.random_init
    assert paper.recordings["vggsound"].limit_files == 90_000
    assert paper.augment.impulse_responses == "mit_ir"
    steps = paper.pretrain.pairs / paper.pretrain.batch_pairs
    assert (steps, paper.pretrain.learning_rate, paper.synth.peak) == (200 * 117, 0.36, "own")

    update_config(config, yaml.safe_load((ROOT / "configs/authors.yaml").read_text()))
    authors = load(config)
    assert set(synthetic_encoders(authors)) == rows
    steps = authors.pretrain.pairs / authors.pretrain.batch_pairs
    assert (steps, authors.pretrain.learning_rate, authors.pretrain.batch_pairs) == (11_800, 0.72, 2 * 768)
    assert (authors.pretrain.gpus, authors.pretrain.gpu_pairs) == (2, "same")
    assert (authors.synth.peak, authors.pretrain.precision) == ("first_of_batch", "float32")


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


def test_a_licence_has_to_be_accepted_before_its_dataset_is_fetched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    raw = {"tasks": ["pitch", "libricount", "vivae", "esc50"]}
    with pytest.raises(UserError, match=r"(?s)esc50: CC BY-NC 3.0.*vivae: CC.*downloads: \{noncommercial: \[esc50, vivae\]\}"):
        check_licences(load(raw))
    check_licences(load({**raw, "downloads": {"noncommercial": ["esc50", "vivae"]}}))
    check_licences(load({"tasks": ["esc50"], "datasets": {"esc50": {"path": "/mine"}}}))


def test_offline_says_what_is_not_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = load({"tasks": ["pitch", "libricount"], "downloads": {"offline": True}})
    message = (
        r"offline is set, and resources/downloads/libricount/LibriCount10-0dB.zip is not here: set datasets.libricount.path"
    )
    with pytest.raises(UserError, match=message):
        check_sources(config)
    (tmp_path / "resources/downloads/libricount").mkdir(parents=True)
    (tmp_path / "resources/downloads/libricount/LibriCount10-0dB.zip").touch()
    check_sources(config)


def test_a_folder_with_the_archives_stands_for_them(tmp_path):
    config = load({"datasets": {"libricount": {"path": str(tmp_path)}}})
    assert inputs_of(config, "libricount") == [str(tmp_path)]
    (tmp_path / "LibriCount10-0dB.zip").touch()
    assert inputs_of(config, "libricount") == [str(tmp_path / "LibriCount10-0dB.zip")]


def test_own_tasks_stand_beside_the_catalogues():
    own = {"format": "folder", "path": "/birds", "label": "species", "metrics": ["mAP"], "multilabel": True, "clip_s": 3}
    config = load({"own_tasks": {"birds": own}, "tasks": ["birds", "pitch"]})
    task, dataset = tasks_of(config)["birds"], datasets_of(config)["birds"]
    assert (task.dataset, task.label, task.metrics, task.multilabel) == ("birds", "species", ("mAP",), True)
    assert (dataset.module, dataset.clip_s) == ("folder", 3)
    assert inputs_of(config, "birds") == ["/birds"]
    assert slice_of(config, ("datasets.birds.path",)) == {"datasets": {"birds": {"path": "/birds"}}}


def test_architectures_and_perturbations_are_those_of_the_code():
    from doppelgangers.pretraining.augment import AUGMENTATIONS
    from doppelgangers.pretraining.crops import VIEWS
    from doppelgangers.pretraining.learner import OPTIMIZERS
    from doppelgangers.pretraining.losses import OBJECTIVES
    from doppelgangers.synthesis.perturb import PERTURBATIONS
    from doppelgangers.synthesis.synth import ARCHITECTURES, GROUPS, RENDERERS

    schema = Config.model_json_schema()["$defs"]
    assert schema["EncoderGrid"]["properties"]["architectures"]["items"]["enum"] == list(ARCHITECTURES)
    assert schema["EncoderGrid"]["properties"]["augmentations"]["items"]["enum"] == list(AUGMENTATIONS)
    assert schema["RealEncoderSettings"]["properties"]["views"]["enum"] == list(VIEWS)
    assert schema["SynthSettings"]["properties"]["renderer"]["enum"] == list(RENDERERS)
    assert schema["PairSettings"]["properties"]["perturbation"]["enum"] == list(PERTURBATIONS)
    assert list(schema["FactorSettings"]["properties"]) == list(GROUPS)
    assert schema["PretrainSettings"]["properties"]["objective"]["enum"] == list(OBJECTIVES)
    assert schema["PretrainSettings"]["properties"]["optimizer"]["enum"] == list(OPTIMIZERS)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("/data//owls", "/data/owls"), ("//data/owls/", "/data/owls"), ("~/owls", "/home/me/owls"), ("./owls//2024", "owls/2024")],
)
def test_paths_are_understood_as_a_shell_does(written, meant, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert load({"recordings": {"owls": {"path": written}}}).recordings["owls"].path == meant
    assert inputs_of(load({"own_tasks": {"owls": {"format": "folder", "path": written}}}), "owls") == [meant]
    assert load({"encoders": {"released": {"owls": written}}}).encoders.released["owls"] == meant


def test_an_archive_that_is_missing_beside_the_others_is_named(tmp_path):
    config = load({"tasks": ["fsd50k"], "datasets": {"fsd50k": {"path": str(tmp_path)}}})
    files = [archive.file for archive in datasets_of(config)["fsd50k"].archives]
    for file in files:
        (tmp_path / file).touch()
    check_sources(config)
    (tmp_path / files[3]).unlink()
    with pytest.raises(UserError, match=rf"datasets.fsd50k.path: .* has 8 of 9 archives; {files[3]} must be there too"):
        check_sources(config)
    (tmp_path / "FSD50K.dev_audio").mkdir()  # unpacked: the reader looks
    check_sources(config)


def kinds(*tasks, **probe):
    """What is probed for each column of the table."""
    own = {**named("owls")["own_tasks"]["owls"], "probe": "hear_linear"}
    return {name: row.probe for name, row in columns_of(load({"own_tasks": {"owls": own}, "probe": probe}), tasks).items()}


def test_a_task_has_a_column_for_each_kind_of_probe():
    assert kinds("libricount", "esc50", "owls") == {"libricount": "mlp", "esc50": "linear", "owls": "hear_linear"}
    found = kinds("esc50", "libricount", also=["hear_linear", "mlp"])
    assert list(found.items()) == [
        *(("esc50", "linear"), ("esc50_hear_linear", "hear_linear"), ("esc50_mlp", "mlp")),
        *(("libricount", "mlp"), ("libricount_hear_linear", "hear_linear")),  # its own probe is not trained twice
    ]
    assert kinds("libricount", "esc50", kind="linear", also=["linear"]) == {"libricount": "linear", "esc50": "linear"}
    assert kinds("libricount", kind="hear_linear", also=["mlp"]) == {"libricount": "hear_linear", "libricount_mlp": "mlp"}


def test_the_papers_probe_is_linear_on_all_eight_tasks():
    """The default's is not: there HEAR's tasks have HEAR's probe."""
    paper = load(yaml.safe_load((ROOT / "configs/paper.yaml").read_text()))
    assert {name: row.probe for name, row in columns_of(paper, paper.tasks).items()} == dict.fromkeys(
        ("esc50", "urbansound8k", "vivae", "fsd50k", "nsynth_pitch", "crema_d", "vocal_imitation", "libricount"), "linear"
    )
    assert {row.probe for row in columns_of(Config(), paper.tasks).values()} == {"linear", "mlp"}


def test_a_listening_test_needs_sounds_that_are_looked_at_and_ratings_that_are_there(tmp_path):
    check_analysis(load({"listening_test": {"ratings": str(tmp_path)}}))
    with pytest.raises(UserError, match=r"listening_test\.architecture: 'voicefm' is unknown; did you mean voice\?"):
        check_analysis(load({"listening_test": {"architecture": "voicefm"}}))
    with pytest.raises(UserError, match=r"listening_test\.ratings: there is no folder .*/nowhere; correct it, or set it to ''"):
        check_analysis(load({"listening_test": {"ratings": str(tmp_path / "nowhere")}}))
