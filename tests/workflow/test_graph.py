"""What the documentation and the conventions say of the workflow as a whole, against Snakemake itself."""

import re
import subprocess
import sys

import pytest
import yaml

from doppelgangers.workflow import machine
from doppelgangers.workflow.digest import imports, reach
from tests.conftest import ROOT
from tests.workflow import reruns_page
from tests.workflow.parsed import needs, parse
from tests.workflow.test_reruns import BASE, JOBS, NAMES

pytestmark = pytest.mark.workflow


def snakemake(*arguments):
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_the_graph_of_rules_in_the_documentation_is_that_of_the_workflow(tmp_path):
    overlay = tmp_path / "all.yaml"
    overlay.write_text(yaml.safe_dump({**BASE, "tasks": ["pitch", "libricount"]}))
    drawn = snakemake("--rulegraph", "mermaid-js", "all", "--configfile", str(overlay)).stdout
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", drawn))
    edges = {(names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", drawn) if names[b] != "all"}
    assert len(edges) > 60
    assert reruns_page.edges() == edges


def test_snakemakes_linter_finds_nothing_but_functions_beside_the_rules_that_use_them():
    """Where a rule's inputs come from is easier to follow beside the rule than in one long common file."""
    found = snakemake("--lint").stderr
    mixed = [
        path
        for path in (ROOT / "rules").glob("*.smk")
        if re.search(r"^def ", text := path.read_text(), re.M) and "\nrule " in text
    ]
    assert found.count("Lints for") == len(mixed) > 10
    assert set(re.findall(r"^    \* (.+)$", found, re.M)) == {"Mixed rules and functions in same snakefile.:"}


def can_use_a_gpu(functions):
    """Whether code uses JAX, which takes a GPU where there is one, or asks for the device."""
    reached = reach(*functions)
    libraries = {name.partition(".")[0] for module, _ in reached for name in imports(module).values()}
    return "jax" in libraries or ("encoders.device", "find_device") in reached


@pytest.mark.parametrize(
    ("gpus", "has_gpu", "claims"), [("auto", True, 1), (2, True, 1), ("auto", False, 0), (0, True, 0), (0, False, 0)]
)
def test_a_job_that_can_use_a_gpu_claims_it(monkeypatch, gpus, has_gpu, claims):
    monkeypatch.setattr(machine, "has_gpu", lambda: has_gpu)
    rules = parse({**BASE, "pretrain": {"gpus": gpus}})
    claiming = {name for name, _ in JOBS if "gpu" in rules[name].resources}
    claimed = {name: rules[name].resources["gpu"].evaluate({}).value for name in claiming}
    code = {name: needs(rules[name], {**NAMES, **wildcards})["code"].split()[:-1] for name, wildcards in JOBS}
    assert set(claimed) == {name for name, functions in code.items() if can_use_a_gpu(functions)} > {"generate_pairs"}
    asked = {"pretrain", "pretrain_on_recordings"} if gpus == 2 else set()
    assert claimed == {name: 2 if name in asked else claims for name in claimed}


def test_only_one_function_takes_whatever_gpu_there_is():
    files = {path.name: path.read_text() for path in (ROOT / "doppelgangers").rglob("*.py")}
    assert {name for name, text in files.items() if "cuda.is_available" in text} == {"device.py", "provenance.py"}
