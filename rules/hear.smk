"""
What follows the HEAR benchmark: encoders of others (encoders.peers), which have its API, and tasks in its format.

REQUIRED INPUTS: the module of each of encoders.peers; the sounds themselves: what a dataset was made from.
OUTPUTS: results/encoders/<setting>/seed=0/encoder.json; results/features/<dataset>/<setting>/seed=0.npy, one row per clip; on
demand, results/hear_tasks/<task>-doppelgangers-full.
"""


def peer_contents(wildcards):
    """What identifies the code and the weights of an encoder of somebody else."""
    peer = PEERS[wildcards.setting]
    return [contents_of_module(peer.module), contents_of(peer.model) if peer.model else ""]


rule register_peer:
    output:
        card="results/encoders/{setting}/seed=0/encoder.json",
    log:
        "logs/register_peer/{setting}.log",
    wildcard_constraints:
        setting=one_of(PEERS),
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
        gpu=one_gpu,
    params:
        config=reads("encoders.peers.{setting}"),
        code=runs("evaluation.peers.register_peer"),
    script:
        "../workflow_scripts/register_peer.py"


rule extract_peer_features:
    input:
        card="results/encoders/{setting}/seed=0/encoder.json",
        clips="resources/datasets/{dataset}/clips.csv",
        files=dataset_files,
    output:
        features="results/features/{dataset}/{setting}/seed=0.npy",
    log:
        "logs/extract_peer_features/{dataset}_{setting}.log",
    wildcard_constraints:
        setting=one_of(PEERS),
    conda:
        "../envs/doppelgangers.yaml"
    threads: 4
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
        gpu=one_gpu,
    params:
        config=reads(
            "encoders.peers.{setting}",
            "datasets.{dataset}.checksum",
            row=dataset_row,
            contents=dataset_contents,
            peer=peer_contents,
        ),
        code=runs("evaluation.peers.extract_peer_features", dataset_reader),
    script:
        "../workflow_scripts/extract_peer_features.py"


rule write_hear_task:
    input:
        clips=clips_of_task,
        files=dataset_files,
    output:
        folder=directory("results/hear_tasks/{task}-doppelgangers-full"),
    log:
        "logs/write_hear_task/{task}.log",
    conda:
        "../envs/doppelgangers.yaml"
    threads: 4
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads("datasets.{dataset}.checksum", row=dataset_row, task=task_row, contents=dataset_contents),
        code=runs("evaluation.export.write_hear_task", dataset_reader),
    script:
        "../workflow_scripts/write_hear_task.py"
