"""What the documentation and the conventions say of the workflow as a whole, against Snakemake itself."""

import re
import subprocess
import sys

import pytest
import yaml

from tests.conftest import ROOT
from tests.workflow.test_reruns import BASE

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
    text = re.search(r"## The rules.*?```mermaid\n(.*?)```", (ROOT / "docs/design.md").read_text(), re.S)[1]
    documented = {(a, b) for a, targets in re.findall(r"(\w+) --> ([\w& ]+)", text) for b in targets.split(" & ")}
    assert len(edges) > 30
    assert documented == edges


def test_snakemakes_linter_finds_nothing_but_functions_beside_the_rules_that_use_them():
    """Where a rule's inputs come from is easier to follow beside the rule than in one long common file."""
    found = snakemake("--lint").stderr
    assert found.count("Lints for") == len(list((ROOT / "rules").glob("*.smk"))) - 1  # all but common.smk
    assert set(re.findall(r"^    \* (.+)$", found, re.M)) == {"Mixed rules and functions in same snakefile.:"}
