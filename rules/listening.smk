"""
The listening test, and what came back from it.

REQUIRED INPUTS: the sounds of listening_test.architecture at all deltas; for ratings results/analysis/similarity.csv and the folder
listening_test.ratings.
OUTPUTS: results/listening_test.html and its key, results/analysis/listening_test.json; results/analysis/ratings.csv and
ratings_by_delta.csv, where there are ratings.
"""


def listening_files():
    """The test, and tables of ratings where there are some."""
    ratings = ["results/analysis/ratings.csv", "results/analysis/ratings_by_delta.csv"]
    return ["results/listening_test.html", *(ratings if CONFIG.listening_test.ratings else [])]


def sounds_to_rate(_wildcards):
    """The pairs of each delta."""
    return sound_files([f"{CONFIG.listening_test.architecture}-{delta}" for delta in CONFIG.analysis.deltas])


def text_of_page(_wildcards):
    """What identifies the templates, which are no code that `runs` sees."""
    return contents_of(f"{workflow.basedir}/doppelgangers/analysis/listening_page")


def ratings_handed_in(_wildcards):
    return own_files([CONFIG.listening_test.ratings])[0]


def contents_of_ratings(_wildcards):
    return contents_of_files([CONFIG.listening_test.ratings])


def first_tagger(_wildcards):
    return CONFIG.analysis.taggers[0]


rule write_listening_test:
    input:
        sounds=sounds_to_rate,
    output:
        page=report("results/listening_test.html", caption="captions/listening_test.rst", category="Sounds"),
        key="results/analysis/listening_test.json",
    log:
        "logs/write_listening_test.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads("listening_test.pairs", text=text_of_page),
        code=runs("analysis.listening_test.write_listening_test"),
    script:
        "../workflow_scripts/write_listening_test.py"


rule analyse_ratings:
    input:
        key="results/analysis/listening_test.json",
        similarity="results/analysis/similarity.csv",
        ratings=ratings_handed_in,
    output:
        ratings="results/analysis/ratings.csv",
        by_delta="results/analysis/ratings_by_delta.csv",
    log:
        "logs/analyse_ratings.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads("analysis.resamples", tagger=first_tagger, contents=contents_of_ratings),
        code=runs("analysis.ratings.analyse_ratings"),
    script:
        "../workflow_scripts/analyse_ratings.py"
