"""Do the tests bite? Code is broken on purpose, one place at a time, and the tests have to notice.

    .venv/bin/python -m tests.mutation                       every area, 200 mutants of each
    .venv/bin/python -m tests.mutation kernels --count 1000

areas.toml says which tests answer for which sources, equivalent.toml which mutants nobody could
notice, and why. `./tools/percepnet test --long tests/mutation` wants 90 % of them noticed.
"""
