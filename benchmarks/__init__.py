"""Benchmarks. Each measures against a ceiling taken in the same run: absolute figures mean little on shared machines.

python -m benchmarks NAME [--json]
python -m benchmarks all
"""
