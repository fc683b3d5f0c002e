"""Models on top of features: heads, ensembles of heads, and their calibration.

Decides how labels become probabilities. Refuses to know studies, files and gates.
"""

from learning.models.ensemble import Ensemble, OutOfFold, fill_unknown, train_ensemble
from learning.models.heads import Head, HeadSettings, fit_head

__all__ = [
    "Ensemble",
    "Head",
    "HeadSettings",
    "OutOfFold",
    "fill_unknown",
    "fit_head",
    "train_ensemble",
]
