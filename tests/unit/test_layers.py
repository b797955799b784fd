"""The architecture, as tests: rules of one shape, thin scripts, short files. Imports: .importlinter, `make check`."""

import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "doppelgangers"
RULE_FILES = sorted((ROOT / "rules").glob("*.smk"))
DIRECTIVES = ["input", "output", "log", "wildcard_constraints", "cache", "priority", "conda", "threads"]
DIRECTIVES += ["resources", "params", "script"]
RULES = {
    name: body for file in RULE_FILES for name, body in re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", file.read_text(), re.M)
}


def test_parsing_the_workflow_loads_no_heavy_library():
    imported = {
        name for file in [ROOT / "Snakefile", *RULE_FILES] for name in re.findall(r"^from (doppel\S+)", file.read_text(), re.M)
    }
    assert len(imported) >= 4
    code = f"import sys, {', '.join(sorted(imported))}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert imported < set(loaded)
    assert not {"torch", "jax", "numpy", "pandas"} & set(loaded)


@pytest.mark.parametrize("file", RULE_FILES, ids=lambda path: path.stem)
def test_rule_files_have_a_contract_and_no_code_of_their_own(file):
    text = file.read_text()
    assert text.startswith('"""\n')
    assert len(text.splitlines()) < 200
    assert "lambda" not in text
    assert not re.search(r"^\s+(run|shell):", text, re.M)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_has_the_shape_of_all_and_a_thin_script_that_calls_the_function_it_names(name):
    body, script = RULES[name], (ROOT / f"workflow_scripts/{name}.py").read_text()
    directives = re.findall(r"^    (\w+):", body, re.M)
    assert directives == [directive for directive in DIRECTIVES if directive in directives]
    assert {"output", "log", "conda", "params", "script"} <= set(directives)
    assert re.findall(r"^        (\w+)=(?:reads|runs)\(", body, re.M) == ["config", "code"]
    assert f'"../workflow_scripts/{name}.py"' in body
    module, function = re.search(r'code=runs\("([\w.]+)\.(\w+)"', body).groups()
    assert function == name
    assert re.search(rf"from doppelgangers\.{re.escape(module)} import .*\b{name}\b", script)
    assert len(script.splitlines()) <= 25
    assert "snakemake.config" not in script


def test_every_script_has_a_rule():
    assert {path.stem for path in (ROOT / "workflow_scripts").glob("*.py")} == set(RULES)


def test_tests_mirror_the_wings():
    def folders(place):
        return {path.parent.name for path in place.glob("*/__init__.py")}

    assert folders(ROOT / "tests/unit") == folders(PACKAGE)


def test_files_stay_short():
    long = {path.name: n for path in PACKAGE.rglob("*.py") if (n := len(path.read_text().splitlines())) > 250}
    assert set(long) <= {"catalogue.py"}  # one line an archive
