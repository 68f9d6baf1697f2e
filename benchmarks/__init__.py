"""Benchmarks. Each measures against a ceiling taken in the same run: absolute figures mean little on shared machines.

python -m benchmarks executor [--json]
python -m benchmarks latency [--json]
"""
