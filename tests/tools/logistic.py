"""The expected values of the test in src/metrics/logistic.rs: logistic regression by gradient descent in plain Python.

    python3 tests/tools/logistic.py
"""

import math

CASES = []
for i in range(40):
    positive = i * 7 % 5 < 2
    shift = 3 if positive else 0
    CASES.append(((i * 11 % 9 + shift) / 10, i * 13 % 7 / 7, 1.0 if positive else 0.0, 1.5 if positive else 1.0))
TOTAL = sum(case[3] for case in CASES)

for penalty in (1e-3, 0.1):
    a = b = bias = 0.0
    for _ in range(400_000):
        da, db, dbias = penalty * a, penalty * b, 0.0
        for x, y, target, weight in CASES:
            error = weight / TOTAL * (1 / (1 + math.exp(-(bias + a * x + b * y))) - target)
            da, db, dbias = da + error * x, db + error * y, dbias + error
        if max(abs(da), abs(db), abs(dbias)) < 1e-13:
            break
        a, b, bias = a - 2 * da, b - 2 * db, bias - 2 * dbias
    print(penalty, [a, b], bias)
