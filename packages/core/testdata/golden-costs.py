"""Works out golden-costs.csv from list-prices.csv in decimal arithmetic, apart from the code that it is to test.

    python3 golden-costs.py > golden-costs.csv

A kind of token costs tokens * price / 1,000,000, exactly. The exact costs are added kind by kind; each sum is rounded up to
nine decimals, and what a kind is billed is by how much the rounded sum grows with it.
"""

import csv
from decimal import ROUND_CEILING, Decimal, getcontext
from pathlib import Path

getcontext().prec = 60
NANO = Decimal("0.000000001")
TOKENS = ("prompt", "cached", "cache_write", "cache_write_1h", "completion", "reasoning")
COSTS = ("input", "cached", "cache_write", "output", "reasoning")


def read_prices():
    lines = Path(__file__).with_name("list-prices.csv").read_text().splitlines()
    prices = {}
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        prices.setdefault(row["model"], []).append(row)
    return prices


def usages(rates, number):
    """What to bill by one row of rates: odd numbers of tokens, other ones for each row, in every kind that it has a price for."""
    floor = int(rates["above_input_tokens"])
    step = 37 * number
    yield {"prompt": floor + 1, "completion": 1}
    yield {"prompt": floor + 1_234 + step, "completion": 567 + number}
    yield {"prompt": floor + 777 + step, "completion": 8_888 + step, "reasoning": 6_543 + number}
    if floor > 0:
        # Not one token more than the tier before allows
        yield {"prompt": floor, "cached": floor - 999, "completion": 4_321 + step}
    if rates["cached_input"]:
        yield {"prompt": floor + 54_321 + step, "cached": 43_210 + number, "completion": 321 + step}
    if rates["cache_write"]:
        yield {"prompt": floor + 23_456 + step, "cached": 1_001 + step, "cache_write": 12_345 + number, "completion": 99}
    if rates["cache_write_1h"]:
        yield {
            "prompt": floor + 34_567 + step,
            "cached": 7_001 + number,
            "cache_write": 20_003 + number,
            "cache_write_1h": 10_007 + step,
            "completion": 2_049 + number,
            "reasoning": 1_023,
        }


def bill(tiers, tokens):
    rates = [tier for tier in tiers if tokens["prompt"] > int(tier["above_input_tokens"])][-1]

    def price(kind, otherwise):
        return Decimal(rates[kind] or rates[otherwise])

    exact = {
        "input": (tokens["prompt"] - tokens["cached"] - tokens["cache_write"]) * price("input", "input"),
        "cached": tokens["cached"] * price("cached_input", "input"),
        "cache_write": (tokens["cache_write"] - tokens["cache_write_1h"]) * price("cache_write", "input"),
        "output": (tokens["completion"] - tokens["reasoning"]) * price("output", "output"),
        "reasoning": tokens["reasoning"] * price("reasoning", "output"),
    }
    if tokens["cache_write_1h"]:
        exact["cache_write"] += tokens["cache_write_1h"] * Decimal(rates["cache_write_1h"])

    costs, total, billed = {}, Decimal(0), Decimal(0)
    for kind in COSTS:
        total += exact[kind] / 1_000_000
        rounded = total.quantize(NANO, ROUND_CEILING)
        costs[kind], billed = rounded - billed, rounded
    return {"total": billed, **costs}


def usd(amount):
    return f"{amount:f}".rstrip("0").rstrip(".") if amount else "0"


print("# Tokens of a request, and what it costs in USD: in all, and by kind of token.")
print("# Made by golden-costs.py, in decimal arithmetic, from the list prices in list-prices.csv.")
print(",".join(["model", *TOKENS, "cost", *(f"cost_{kind}" for kind in COSTS)]))
number = 0
for model, tiers in read_prices().items():
    for rates in tiers:
        number += 1
        for usage in usages(rates, number):
            tokens = {kind: usage.get(kind, 0) for kind in TOKENS}
            print(",".join([model, *map(str, tokens.values()), *map(usd, bill(tiers, tokens).values())]))
