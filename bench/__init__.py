"""Benchmarks of tensorgrad: what each one measures stands in `bench/README.md`."""
