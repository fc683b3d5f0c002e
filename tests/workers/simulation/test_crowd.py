"""A crowd of threads goes home once nothing is left, also where asking takes longer than the pause between asking."""

import threading
import time
from types import SimpleNamespace

from workers.simulation import crowd
from workers.simulation.work import Outcome


class SlowPlace:
    """Two regions for each of six people; then every claim is in vain, and slow."""

    def __init__(self):
        self.asked = 0
        self._lock = threading.Lock()

    def work_once(self, person, *, kind):
        with self._lock:
            self.asked += 1
            is_left = self.asked <= 12
        # Out of step, so that somebody asks at any moment.
        time.sleep(0.05 + 0.02 * person)
        return Outcome.ANSWERED if is_left else Outcome.NOTHING


def test_a_crowd_on_a_slow_machine_goes_home(monkeypatch):
    monkeypatch.setattr(crowd, "PAUSE_SECONDS", 0.005)
    monkeypatch.setattr(crowd.Crowd, "_jobs_live", lambda self: False)
    monkeypatch.setattr(crowd.loop, "nudge", lambda *, study: [])
    place = SlowPlace()
    people = SimpleNamespace(annotators=list(range(6)), adjudicators=[])
    hands = crowd.Crowd(study=SimpleNamespace(), crew=people, workplace=place)
    hands.label()
    assert hands.answers == 12
    assert place.asked < 12 + 60
