"""The files that a target is made of and that are gone, so that a run can ask for them too.

Snakemake makes a missing file only where a job that has to run reads it. After a job has failed, its old output is gone, and so
is the record of what it was made with; what was made from that output, though, is there, and nothing would run: the next run
would end well, with an old table.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from snakemake.iocontainers import Wildcards

from doppelgangers.datasets.records import LINKS


def ask_for_missing_parts(workflow: Any) -> None:
    """Make a run of this workflow ask for the missing parts of its targets too.

    Snakemake has no place for this: it learns its targets after it has read the Snakefile, and then plans. So this steps in
    between; that the method is called so holds for the version in the lock, and a test would tell.
    """
    plan = workflow._prepare_dag

    def plan_with_missing_parts(*arguments: Any, **options: Any) -> None:
        settings = workflow.dag_settings
        if workflow.is_main_process:
            asked = list(settings.targets or [workflow.default_target])
            settings.targets = [*asked, *missing_parts(workflow.rules, asked)]
        plan(*arguments, **options)

    workflow._prepare_dag = plan_with_missing_parts


def missing_parts(rules: Iterable[Any], targets: Iterable[str]) -> list[str]:
    """Files that are gone though something that was made from them is there, and is a target or a part of one.

    Not so a fetched archive, which nobody needs once it is prepared.

    Args:
        rules: Snakemake's, of the whole workflow.
        targets: names of files and of rules.
    """
    rules = {rule.name: rule for rule in rules}
    found, seen, waiting = [], set(), []
    for target in targets:
        if target in rules:  # without wildcards, or Snakemake refuses it
            waiting += list(map(str, rules[target].output)) or inputs_of_job(rules[target], Wildcards())
        else:
            waiting.append(os.path.relpath(target))
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        rule = next((rule for rule in rules.values() if rule.is_producer(file)), None)
        if rule is None:  # the user's own
            continue
        parts = inputs_of_job(rule, Wildcards(fromdict=rule.get_wildcards(file)))
        waiting += parts
        if Path(file).exists():
            found += [part for part in parts if not Path(part).exists() and not part.startswith(LINKS)]
    return sorted(set(found))


def inputs_of_job(rule: Any, wildcards: Wildcards) -> list[str]:
    inputs, *_ = rule.expand_input(wildcards)
    return [str(file) for file in inputs]
