"""What counts as a change of code, and what each function reaches."""

import ast
import shutil
import sys
import threading

import numpy as np
import pandas as pd
import pytest

from doppelgangers.datasets.catalogue import Dataset
from doppelgangers.workflow import digest as module
from doppelgangers.workflow.syntax import clean, dump
from tests.recorded import sound_files

STAGES = [
    "synthesis.pairs.generate_pairs",
    "synthesis.listen.sample_pairs",
    "pretraining.pretrain.pretrain",
    "encoders.initialize.initialize",
    "datasets.prepare.prepare",
    "evaluation.features.extract_features",
    "evaluation.probe.train_linear_probes",
    "evaluation.probe.train_mlp_probes",
    "evaluation.table.make_table",
    "analysis.figures.plot_scores",
]


@pytest.fixture(scope="module")
def before():
    return {stage: module.digest(stage) for stage in STAGES}


@pytest.fixture
def package(tmp_path, monkeypatch, before):
    """A function that edits a copy of the package, and gives the names of the stages whose digests have changed."""
    root = tmp_path / "doppelgangers"
    shutil.copytree(module.ROOT, root)
    shutil.copytree(module.ROOT.parent / module.SCRIPTS, tmp_path / module.SCRIPTS)
    monkeypatch.setattr(module, "ROOT", root)

    def changed_by(path, old, new):
        text = (root / path).read_text()
        assert text.count(old) == 1, f"{path} holds {old!r} {text.count(old)} times"
        (root / path).write_text(text.replace(old, new))
        forget()
        return {stage for stage in STAGES if module.digest(stage) != before[stage]}

    yield changed_by
    forget()


def forget():
    for cached in (module.tree_of, module.affects_results, module.definitions, module.imports, module.canonical, module.digest):
        cached.cache_clear()


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("pretraining/losses.py", '"""Mean squared distance between the two views of a pair.', '"""Another docstring.'),
        ("pretraining/losses.py", "return (a - b)", "# a comment\n\n    return ( a - b )"),
        ("pretraining/losses.py", "def align(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:", "def align(a, b):"),
        ("pretraining/losses.py", "import math\n", "import math\nfrom collections.abc import Sequence\n"),
        ("synthesis/pairs.py", 'unit="pair"', 'unit="pairs", colour="red"'),
        ("synthesis/generate.py", "the synthesizer made a sound that is not finite, at pair index", "not finite: pair"),
        ("files.py", "temporary.replace(path)", "temporary.rename(path)"),
    ],
)
def test_what_cannot_change_a_result_does_not_count(package, path, old, new):
    assert package(path, old, new) == set()


@pytest.mark.parametrize(
    ("path", "old", "new", "touched"),
    [
        ("pretraining/losses.py", "4.0 * (x @ x.T)", "5.0 * (x @ x.T)", {"pretrain"}),
        ("synthesis/synth.py", "CPU_CHUNK = 16", "CPU_CHUNK = 64", {"generate_pairs", "sample_pairs", "pretrain"}),
        ("synthesis/listen.py", "max(2, ", "max(3, ", {"sample_pairs"}),
        ("evaluation/mlp.py", "GRID_SEED = 42", "GRID_SEED = 43", {"train_mlp_probes"}),
        ("evaluation/metrics.py", "zero_division=0", "zero_division=1", {"train_linear_probes", "train_mlp_probes"}),
        ("evaluation/table.py", "DIGITS = 2", "DIGITS = 3", {"make_table"}),
        ("encoders/encoder.py", "kernel_size=7", "kernel_size=5", {"initialize", "pretrain", "extract_features"}),
        # The condition of an error is code, and so is its kind.
        (
            "synthesis/generate.py",
            "if not finite.all():",
            "if not finite.any():",
            {"generate_pairs", "sample_pairs", "pretrain"},
        ),
    ],
)
def test_an_edit_counts_for_the_functions_that_use_it_and_no_others(package, path, old, new, touched):
    assert {stage.rpartition(".")[2] for stage in package(path, old, new)} == touched


def text_of(source):
    """The canonical form of a piece of code."""
    return [dump(statement) for statement in clean(ast.parse(source).body)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x: int = 1", "x = 1"),
        ("def f(a: int, *b: str) -> None: return a", "def f(a, *b): return a"),
        ("log.warning('%s is odd', x)", ""),
        ("print(f'{x}')", ""),
        ("warnings.warn('odd', stacklevel=2)", ""),
        ("assert x, 'odd'", ""),
        ("if x:\n    log.info('x')", ""),
        ("for i in x:\n    log.info('x')", "for i in x:\n    pass"),
        ("raise KeyError(f'{x} is odd') from error", "raise KeyError('other')"),
        ("raise UserError('a' + b if c else 'd')", "raise UserError()"),
        ("for i in tqdm(x, desc='a', unit='b'): f(i)", "for i in tqdm(x): f(i)"),
        ("f'a' 'b' f'{x}'", "f'ab{x}'"),
    ],
)
def test_these_are_the_same(one, other):
    assert text_of(one) == text_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("class A:\n    x: int = 1", "class A:\n    x: float = 1"),  # the annotation makes a field
        ("raise KeyError('odd')", "raise ValueError('odd')"),
        ("raise SystemExit(1)", "raise SystemExit(2)"),
        ("x = f'{a}'", "x = f'{b}'"),
        ("x = f'{a:.2f}'", "x = f'{a:.3f}'"),
        ("if x:\n    log.info('x')\nelse:\n    f()", "f()"),
        ("if y := f(x):\n    log.info('x')", ""),  # it binds a name
        ("x = 0", "x = False"),
        ("x = None", "x = 0"),
        ("x = a[1:]", "x = a[:1]"),
    ],
)
def test_these_differ(one, other):
    assert text_of(one) != text_of(other)


def test_the_canonical_form_is_the_same_on_every_python():
    """Written out, because the trees of Python 3.11, 3.12 and 3.13 differ in their fields, and one of them runs this."""
    source = "def f(x, *, y=1.5):\n    return [f'{i:>{y}}a' 'b' for i in x if i is not None]"
    assert text_of(source) == [
        "FunctionDef(name='f', args=arguments(args=[arg(arg='x')], kwonlyargs=[arg(arg='y')], "
        "kw_defaults=[Constant(value=1.5)]), body=[Return(value=ListComp(elt=JoinedStr(values=["
        "FormattedValue(value=Name(id='i'), conversion=-1, format_spec=JoinedStr(values=[Constant(value='>'), "
        "FormattedValue(value=Name(id='y'), conversion=-1)])), Constant(value='ab')]), "
        "generators=[comprehension(target=Name(id='i'), iter=Name(id='x'), "
        "ifs=[Compare(left=Name(id='i'), ops=[IsNot()], comparators=[Constant()])], is_async=0)]))])"
    ]


def test_a_function_that_is_not_there_is_named():
    with pytest.raises(KeyError, match=r"losses.py has no alighn at its top level"):
        module.reach("pretraining.losses.alighn")


def executed(function):
    """The top-level functions and classes of the package, in modules that count, whose code runs during a call."""
    ran = set()

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_filename.startswith(str(module.ROOT)):
            path = frame.f_code.co_filename.removeprefix(f"{module.ROOT}/").removesuffix(".py")
            ran.add((path.replace("/", "."), frame.f_code.co_qualname.partition(".")[0]))

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return {(name, symbol) for name, symbol in ran if symbol[0] != "<" and module.affects_results(name)}


def test_all_code_that_a_stage_runs_is_in_its_digest(tmp_path):
    """Names that the digest would not follow, such as those looked up at run time, would be missing here."""
    from doppelgangers.datasets.prepare import prepare
    from doppelgangers.encoders.initialize import initialize
    from doppelgangers.evaluation.features import extract_features

    sounds = sound_files(6, folder="x")
    rows = pd.DataFrame({"path": list(sounds), "fold": [1, 2, 3] * 2, "label": list("aabbab")})
    for name, content in {**sounds, "clips.csv": rows.to_csv(index=False).encode()}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    clips, logmel, card = (tmp_path / name for name in ("out/clips.csv", "out/logmel.npy", "out/dataset.json"))
    encoder, features = tmp_path / "encoder.safetensors", tmp_path / "features.npy"
    row = Dataset(module="folder", licence="", clip_s=1.0)
    options = {"dataset": "own", "row": row, "checksum": "", "limit_clips": 0, "tolerate_clips": 0}
    options["files"] = [tmp_path]
    stages = {
        ("datasets.prepare.prepare", "datasets.folder.load"): lambda: prepare(clips, logmel, card, **options),
        ("encoders.initialize.initialize",): lambda: initialize(encoder, seed=0, width=0.0625),
        ("evaluation.features.extract_features",): lambda: extract_features(features, encoder=encoder, logmel=logmel),
    }
    for functions, stage in stages.items():
        ran = executed(stage)
        assert len(ran) >= 3
        assert ran <= module.reach(*functions)
    assert np.load(features).shape == (6, 512)


def test_a_script_counts_by_what_it_does(package):
    script = "../workflow_scripts/pretrain.py"
    assert package(script, '"""Rule pretrain."""', '"""The rule pretrain."""\n\nimport os  # not used') == set()
    assert package(script, 'float(made_of["delta"])', '2 * float(made_of["delta"])') == {"pretraining.pretrain.pretrain"}


@pytest.mark.parametrize("script", sorted((module.ROOT.parent / module.SCRIPTS).glob("*.py")), ids=lambda path: path.stem)
def test_the_call_of_a_script_is_not_taken_for_a_message(script):
    """As it would be within `print`."""
    calls = [
        node.func
        for statement in clean(ast.parse(script.read_text()).body)
        for node in ast.walk(statement)
        if isinstance(node, ast.Call)
    ]
    assert script.stem in {function.id for function in calls if isinstance(function, ast.Name)}
