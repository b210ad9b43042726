"""What Strata promises, measured. Each script writes its own section of docs/benchmarks.md."""
