"""A build as a plan of small idempotent tasks; the job table; the engine that runs them on Dask."""
