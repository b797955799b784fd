# The whole study as one workflow; each stage has a file in rules/.
import sys

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

# The code that runs is the code beside this file, whatever PYTHONPATH says.
sys.path.insert(0, workflow.basedir)

from doppelgangers.datasets.records import drop_dangling_links
from doppelgangers.errors import UserError
from doppelgangers.report.claims import load_claims
from doppelgangers.workflow.cache import use_shared_cache
from doppelgangers.workflow.config import load
from doppelgangers.workflow.checks import (
    check_analysis,
    check_folders,
    check_interpreter,
    check_licences,
    check_sources,
    require_code,
)
from doppelgangers.workflow.targets import prepare_planning
from doppelgangers.workflow.unlock import note_holder
from doppelgangers.workflow.yaml_keys import check_keys

min_version("9.0")


# Beside this file too, so that it counts in whatever folder the results are made.
configfile: f"{workflow.basedir}/config.yaml"


try:
    require_code(workflow.basedir)
    for file in [f"{workflow.basedir}/config.yaml", *workflow.overwrite_configfiles]:
        check_keys(file)
    CONFIG = load(config)
    check_interpreter()
    check_analysis(CONFIG)
    CLAIMS = load_claims(f"{workflow.basedir}/configs/claims.yaml")
    check_sources(CONFIG)
    drop_dangling_links()
    check_folders("results", "resources", "logs")
except UserError as error:
    raise WorkflowError(str(error))


include: "rules/common.smk"
include: "rules/synthesis.smk"
include: "rules/encoders.smk"
include: "rules/pretraining.smk"
include: "rules/datasets.smk"
include: "rules/evaluation.smk"
include: "rules/confusions.smk"
include: "rules/hear.smk"
include: "rules/sounds.smk"
include: "rules/tagging.smk"
include: "rules/listening.smk"
include: "rules/spectra.smk"
include: "rules/selection.smk"
include: "rules/score_figures.smk"
include: "rules/figures.smk"
include: "rules/report.smk"


# Not for a dry run, which may be had without agreeing to anything.
onstart:
    note_holder(on_cluster=not workflow.local_exec)
    check_licences(CONFIG)


onerror:
    print("results/table.csv and what else a failed job should have renewed is not renewed: correct the error and run again")


rule all:
    default_target: True
    input:
        "results/table.csv",
        "results/report.html",
        "results/table.md",
        "results/table.tex",
        listening_page(),
        listening_files(),


# A GPU is counted where a job runs: profiles/default says how many there are here, and SLURM how many it has.
resource_scopes:
    gpu="local",


# Jobs of seconds, and downloads, because the nodes of many clusters cannot reach the internet.
localrules:
    all,
    adopt,
    analyse_ratings,
    collect_scores,
    compare_scores,
    download,
    initialize,
    judge_claims,
    make_table,
    measure_confusions,
    measure_similarity,
    measure_uncertainty,
    plot_comparisons,
    plot_snapshots,
    plot_confusions,
    plot_embeddings,
    plot_features,
    plot_scores,
    plot_similarity,
    plot_spectrograms,
    plot_training,
    plot_uncertainty,
    sample_noise,
    select_pairs,
    summarize_confusions,
    write_listening_page,
    write_listening_test,
    write_report,
    write_tables,


# A part that is gone comes back, though what was made from it is still there; a new time of a script makes nothing again.
prepare_planning(workflow)
use_shared_cache(workflow)
