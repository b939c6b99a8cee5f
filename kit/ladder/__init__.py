"""The ladder: from the noisy signal to what ships, one idea at a time, and what each is worth.

Only `kit.ladder.needs` may be imported without the packages of the extra `eval`.
"""
