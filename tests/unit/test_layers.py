"""The architecture, as tests: imports point downwards, scripts are thin, every rule has the same shape."""

import ast
import re

import pytest

from doppelgangers.datasets.catalogue import DATASETS
from doppelgangers.workflow.config_docs import ROOT
from doppelgangers.workflow.digest import imports_of, path_of
from doppelgangers.workflow.plan import STAGES

# Lower layers first; a module may import from lower layers, and from its own where listed so.
LAYERS = [
    {"errors", "datasets.catalogue", "dsp", "architectures"},
    {"fast_synthax"},
    {
        "files",
        "audio",
        "frontend",
        "losses",
        "diagnostics",
        "metrics",
        "linear",
        "synth",
        "perturb",
        "stacked",
        "datasets.soundfont",
    },
    {
        "fetch",
        "mlp",
        "stopwatch",
        "memory",
        "distributed",
        "encoder",
        "generate",
        "store",
        "hear_task",
        "datasets.split_zip",
        "datasets.folds",
    },
    {"checkpoint", "history", "crops", "datasets.archive"},
    {"hear", "sources", "datasets.clips", "datasets.audio_files"},
    {f"datasets.{row.module}" for row in DATASETS.values()} | {"augment", "datasets.folder", "datasets.hear"},
    {"learner"},
    {"training"},
    {
        "pairs",
        "recordings",
        "listen",
        "initialize",
        "adopt",
        "pretrain",
        "features",
        "peers",
        "export",
        "probe",
        "table",
        "figures",
        "datasets.download",
        "datasets.prepare",
    },
]
WORKFLOW_SIDE = {"config", "config_docs", "digest", "job", "plan", "release", "unlock"}
PACKAGE = path_of("config").parent
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"
}
RULE_FILES = sorted((ROOT / "rules").glob("*.smk"))
DIRECTIVES = ["input", "output", "log", "benchmark", "conda", "threads", "resources", "params", "message", "script"]


def test_every_module_has_a_layer():
    assert set.union(*LAYERS, WORKFLOW_SIDE) == MODULES
    assert {module for module, _ in STAGES.values()} == LAYERS[-1]


@pytest.mark.parametrize("module", sorted(set.union(*LAYERS)))
def test_imports_point_downwards(module):
    level = next(i for i, layer in enumerate(LAYERS) if module in layer)
    allowed = set.union(set(), *LAYERS[:level])
    assert imports_of(module) <= allowed


def test_parsing_the_workflow_loads_no_heavy_library():
    files = [ROOT / "Snakefile", *RULE_FILES]
    imported = {name for file in files for name in re.findall(r"^from doppelgangers\.(\S+) import", file.read_text(), re.M)}
    assert imported == {"config", "digest", "errors", "plan"}
    for module in {*imported, "datasets.catalogue"}:
        tree = ast.parse(path_of(module).read_text())
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert not names & {"torch", "jax", "numpy", "pandas"}


@pytest.mark.parametrize("file", RULE_FILES, ids=lambda path: path.stem)
def test_rules_have_one_shape(file):
    text = file.read_text()
    assert text.startswith('"""\n')
    assert len(text.splitlines()) < 100
    assert "lambda" not in text
    assert not re.search(r"^\s+(run|shell):", text, re.M)
    for name, body in re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", text, re.M):
        directives = re.findall(r"^    (\w+):", body, re.M)
        assert directives == [directive for directive in DIRECTIVES if directive in directives]
        assert {"output", "log", "benchmark", "threads", "params", "conda", "message", "script"} <= set(directives)
        assert f'**stage("{name}"),' in body
        assert f'"../workflow_scripts/{name}.py"' in body


def test_every_rule_has_a_stage_and_a_thin_script_of_its_name():
    rules = {name for file in RULE_FILES for name in re.findall(r"^rule (\w+):", file.read_text(), re.M)}
    scripts = {path.stem: path for path in (ROOT / "workflow_scripts").glob("*.py")}
    assert rules == set(STAGES) == set(scripts)
    for name, path in scripts.items():
        text = path.read_text()
        assert len(text.splitlines()) <= 25
        assert "snakemake.config" not in text
        assert re.search(rf"from doppelgangers\.{re.escape(STAGES[name][0])} import .*\b{name}\b", text)


def test_files_stay_short():
    long = {path.name: n for path in PACKAGE.rglob("*.py") if (n := len(path.read_text().splitlines())) > 250}
    # The schema itself, one line a key; the catalogue, one line an archive.
    assert set(long) <= {"config.py", "catalogue.py"}
