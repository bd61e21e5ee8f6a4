//! Shaders and compositor on a real adapter; `REQUIRE_GPU=1` turns a missing one into a failure.
