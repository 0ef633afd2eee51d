"""Exercises with checks: data in TOML files, and a judge that says what is wrong with an answer.

>>> verdict = judge("da, db, dc = 2.0, 3.0, 1.0", exercises()["product"])
>>> verdict.right, verdict.reason[:28]
(False, 'da and db are the wrong way ')
"""

from smolml.learning.exercise import Exercise as Exercise
from smolml.learning.exercise import exercises as exercises
from smolml.learning.judge import Verdict as Verdict
from smolml.learning.judge import judge as judge
