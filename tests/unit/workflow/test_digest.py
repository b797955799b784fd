import shutil

import pytest

from doppelgangers.workflow import digest as module


@pytest.fixture
def package(tmp_path, monkeypatch):
    root = tmp_path / "doppelgangers"
    shutil.copytree(module.ROOT, root)
    monkeypatch.setattr(module, "ROOT", root)

    def digests(*names):
        for cached in (module.tree_of, module.imports_of, module.digest):
            cached.cache_clear()
        return [module.digest(name) for name in names]

    yield root, digests
    digests()


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_code_counts_and_comments_docstrings_and_layout_do_not(package):
    root, digests = package
    before = digests("losses")
    edit(root / "losses.py", '"""Mean squared distance of the two views.', '"""Another docstring.')
    edit(root / "losses.py", "return (a - b)", "# a comment\n\n    return ( a - b )")
    assert digests("losses") == before
    edit(root / "losses.py", "4.0 * (x @ x.T)", "5.0 * (x @ x.T)")
    assert digests("losses") != before


def test_an_edit_reaches_the_stages_that_import_it_and_no_others(package):
    root, digests = package
    stages = ["pairs", "pretrain", "initialize", "datasets.prepare", "features", "probe", "table", "figures"]
    before = digests(*stages)
    edit(root / "losses.py", "4.0 * (x @ x.T)", "5.0 * (x @ x.T)")
    assert [old != new for old, new in zip(before, digests(*stages), strict=True)] == [name == "pretrain" for name in stages]
    before = digests(*stages)
    edit(root / "synth.py", "CPU_CHUNK = 16", "CPU_CHUNK = 64")
    changed = {name for name, old, new in zip(stages, before, digests(*stages), strict=True) if old != new}
    assert changed == {"pairs", "pretrain"}


def test_the_closure_follows_imports():
    assert {"generate", "synth", "perturb", "store", "files", "errors"} <= module.closure("pairs")
    assert "losses" not in module.closure("features")
