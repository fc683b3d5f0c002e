"""Benchmarks by name: each a function that returns a dict of plain numbers.

A dict may hold `seconds` with `bound_seconds`, and a `baseline_seconds` measured beside it in the same
process, so that a `ratio` survives a slow machine. To add one: write the function, name it here.
"""

from collections.abc import Callable
from typing import Any

from tests.benchmarks.acceptance import measure_acceptance
from tests.benchmarks.auditing import measure_auditing
from tests.benchmarks.cnn import measure_cnn, measure_start
from tests.benchmarks.consistency import measure_consistency
from tests.benchmarks.dawid_skene import measure_dawid_skene
from tests.benchmarks.domain_drift import measure_domain_drift
from tests.benchmarks.drifting import measure_drifting
from tests.benchmarks.embedding import measure_embedding
from tests.benchmarks.encoding import measure_encoding
from tests.benchmarks.gate import simulate_gate
from tests.benchmarks.heads import measure_refit
from tests.benchmarks.labelling.cells import measure_cells, measure_cells_learned
from tests.benchmarks.labelling.digits import measure_labelling
from tests.benchmarks.loop import measure_loop
from tests.benchmarks.mapped import measure_mapped
from tests.benchmarks.margin import measure_margin
from tests.benchmarks.moments import measure_moments
from tests.benchmarks.ranking import measure_ranking
from tests.benchmarks.releasing import measure_releasing
from tests.benchmarks.replaying import measure_replaying
from tests.benchmarks.reviewing import measure_reviewing
from tests.benchmarks.rules import measure_rules
from tests.benchmarks.screens import measure_screens
from tests.benchmarks.selecting import measure_selecting
from tests.benchmarks.uncovered import measure_uncovered
from tests.benchmarks.versions import measure_versions
from tests.benchmarks.who_answers import measure_who_answers
from tests.benchmarks.whole_truth import measure_whole_truth

BENCHMARKS: dict[str, Callable[[], dict[str, Any]]] = {
    "acceptance": measure_acceptance,
    "auditing": measure_auditing,
    "cells": measure_cells,
    "cells_learned": measure_cells_learned,
    "cnn": measure_cnn,
    "cnn_start": measure_start,
    "consistency": measure_consistency,
    "dawid_skene": measure_dawid_skene,
    "domain_drift": measure_domain_drift,
    "drifting": measure_drifting,
    "embedding": measure_embedding,
    "encoding": measure_encoding,
    "gate": simulate_gate,
    "heads": measure_refit,
    "labelling": measure_labelling,
    "loop": measure_loop,
    "mapped": measure_mapped,
    "margin": measure_margin,
    "moments": measure_moments,
    "ranking": measure_ranking,
    "rules": measure_rules,
    "releasing": measure_releasing,
    "replaying": measure_replaying,
    "reviewing": measure_reviewing,
    "screens": measure_screens,
    "selecting": measure_selecting,
    "uncovered": measure_uncovered,
    "versions": measure_versions,
    "who_answers": measure_who_answers,
    "whole_truth": measure_whole_truth,
}
