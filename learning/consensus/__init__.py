"""From several opinions to one: majority, Dawid-Skene, agreement, and when enough people have answered.

Arrays in, arrays out. Light on purpose (numpy and scipy only), because the web process settles regions with
it.
"""

from learning.consensus.answers import Answers, AnswersError, gather

__all__ = ["Answers", "AnswersError", "gather"]
